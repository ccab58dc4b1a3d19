package guard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Origins are web pages' origins (RFC 6454), such as "https://app.example.org"; "*" among them is all.
type Origins []string

// ParseOrigins checks origins and writes them as browsers do: in lower case, without the scheme's own port.
func ParseOrigins(texts ...string) (Origins, error) {
	var all Origins
	for _, text := range texts {
		origin, err := parseOrigin(text)
		if err != nil {
			return nil, fmt.Errorf("origin %q: %w", text, err)
		}
		all = append(all, origin)
	}
	return all, nil
}

func parseOrigin(text string) (string, error) {
	if text == "*" {
		return text, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", fmt.Errorf("not a URL, want something like https://app.example.org")
	}
	scheme := strings.ToLower(u.Scheme)
	host := strings.ToLower(u.Hostname())
	switch {
	case scheme != "http" && scheme != "https":
		return "", fmt.Errorf("found scheme %q, want http or https", u.Scheme)
	case host == "":
		return "", fmt.Errorf("found no host, want something like https://app.example.org")
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return "", fmt.Errorf("found more than scheme, host and port, want nothing after them, not even a slash")
	case strings.ContainsFunc(host, func(c rune) bool { return !hostRune(c) }):
		return "", fmt.Errorf("found a host with other characters than letters, digits, - and ., want it as browsers send it (xn--... for other alphabets)")
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	port := u.Port()
	if port == "" && strings.HasSuffix(u.Host, ":") {
		return "", fmt.Errorf("found no port after the colon")
	}
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
		return "", fmt.Errorf("found port %s, want 1 to 65535", port)
	} else if port != "" && !(scheme == "http" && n == 80) && !(scheme == "https" && n == 443) {
		host += ":" + strconv.FormatUint(n, 10)
	}
	return scheme + "://" + host, nil
}

// hostRune says whether a host's name or IPv6 address may have that character.
func hostRune(c rune) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == ':' || c == '_'
}

// allow is what a page of an origin is told in Access-Control-Allow-Origin, "" for nothing.
func (o Origins) allow(origin string) string {
	switch {
	case origin == "":
		return ""
	case slices.Contains(o, "*"):
		return "*"
	case slices.Contains(o, origin):
		return origin
	}
	return ""
}

// What pages of other origins may send, and see of an answer's headers.
const (
	corsMethods = "GET, HEAD, POST"
	corsHeaders = "Authorization, Content-Type, Inference-Header-Content-Length, Traceparent, Tracestate, " + requestIDHeader
	corsExposed = "Inference-Header-Content-Length, Retry-After, " + requestIDHeader
)

// crossOrigin answers browsers that ask on behalf of other origins' pages (the Fetch standard's CORS). Requests with effects
// from origins that are not allowed are refused: a browser would send a form without asking first, and only keep the answer from the page.
func (g *guard) crossOrigin(next http.Handler) http.Handler {
	forged := http.NewCrossOriginProtection()
	for _, origin := range g.Origins {
		if origin != "*" {
			_ = forged.AddTrustedOrigin(origin) // what it cannot read it does not trust
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		allowed := g.Origins.allow(origin)
		if len(g.Origins) > 0 {
			w.Header().Add("Vary", "Origin")
		}
		if allowed != "" {
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", allowed)
			h.Set("Access-Control-Expose-Headers", corsExposed)
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				h.Set("Access-Control-Allow-Methods", corsMethods)
				h.Set("Access-Control-Allow-Headers", corsHeaders)
				h.Set("Access-Control-Max-Age", "600")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		} else if forged.Check(r) != nil {
			g.refuse(w, r, reasonOrigin, Refusal{Status: http.StatusForbidden, Code: "cross_origin", Message: "Pages of this origin may not call this server."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

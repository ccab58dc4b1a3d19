package guard

import (
	"net"
	"net/http"
	"strings"
)

// secure sets what tells browsers to be careful with answers. It is meant for an API, which is nothing to look at: a handler that serves a page
// sets a Content-Security-Policy and a Cache-Control of its own.
func (g *guard) secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if r.TLS != nil && !isLocalhost(r.Host) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// isLocalhost says whether a Host header names the machine itself. A browser would apply what it has once
// been told of localhost to every other server there.
func isLocalhost(host string) bool {
	name := hostName(host)
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// hostName is a Host header's name in lower case, without port, brackets and final dot.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

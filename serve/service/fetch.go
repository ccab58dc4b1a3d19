package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A Fetcher reads pictures from the network for requests that name them by URL. It connects to public addresses only: a server that fetched whatever it is told would
// open the network behind it to its clients. Addresses are judged after names are resolved, connection by connection, redirects too.
type Fetcher struct {
	Hosts   []string      // the only ones, if there are any; a leading dot allows all below: ".example.org"
	Timeout time.Duration // for one picture; 0 is 10 s

	allow func(netip.Addr) bool // nil: public addresses; for tests
}

// maxRedirects of one fetch.
const maxRedirects = 3

func (f *Fetcher) get(ctx context.Context, address string, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(f.Timeout, 10*time.Second))
	defer cancel()
	if err := f.check(address); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, Invalidf("the picture's URL: %w", err)
	}
	request.Header.Set("Accept", "image/*")
	request.Header.Set("User-Agent", "lxmert")
	transport := f.transport()
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return Invalidf("the picture's URL: more than %d redirects", maxRedirects)
		}
		return f.check(next.URL.String())
	}}
	answer, err := client.Do(request)
	if err != nil {
		return nil, f.explain(ctx, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, Invalidf("the picture's URL: its server answers %d", answer.StatusCode)
	}
	content, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err != nil {
		return nil, f.explain(ctx, err)
	}
	if int64(len(content)) > most {
		return nil, &Error{TooLarge, "file_too_large", fmt.Sprintf("the picture's URL: the file has more than %d bytes", most), nil}
	}
	return content, nil
}

// check judges a URL by what it says.
func (f *Fetcher) check(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return Invalidf("the picture's URL: want http:// or https:// and a host")
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	switch {
	case u.Scheme != "http" && u.Scheme != "https", host == "":
		return Invalidf("the picture's URL: found %.80q, want http:// or https:// and a host", u.Scheme+"://"+u.Host)
	case u.User != nil:
		return Invalidf("the picture's URL: it holds a name or a password, which is not sent on")
	case u.Port() != "" && u.Port() != "80" && u.Port() != "443" && f.allow == nil:
		return Invalidf("the picture's URL: found port %s, want 80 or 443", u.Port())
	case len(f.Hosts) > 0 && !slices.ContainsFunc(f.Hosts, func(allowed string) bool {
		allowed = strings.ToLower(allowed)
		return host == allowed || strings.HasPrefix(allowed, ".") && strings.HasSuffix(host, allowed)
	}):
		return &Error{Unsupported, "host_not_allowed", fmt.Sprintf("the picture's URL: this server reads no pictures from %.80s", host), nil}
	}
	return nil
}

// errNotPublic is why a connection is refused.
var errNotPublic = errors.New("not a public address")

// transport connects to public addresses only, and to no proxy, which would connect to others.
func (f *Fetcher) transport() *http.Transport {
	allow := f.allow
	if allow == nil {
		allow = public
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !allow(at.Addr().Unmap()) {
			return errNotPublic
		}
		return nil
	}}
	return &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10}
}

// notPublic are networks that are special and that netip has no word for.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

// public reports whether an address is one of the open internet.
func public(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(a) })
}

// explain is a fetch's error without the server's own view of its network.
func (f *Fetcher) explain(ctx context.Context, err error) error {
	var known *Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, errNotPublic):
		return &Error{Unsupported, "address_not_allowed", "the picture's URL: it leads to an address that is not public", err}
	case ctx.Err() != nil:
		return &Error{Invalid, "fetch_failed", "the picture's URL: its server took too long", err}
	}
	return &Error{Invalid, "fetch_failed", "the picture's URL: it cannot be read", err}
}

package guard

import "net/http"

// named refuses requests that call the server by a name that is not its own. A page from anywhere may let a name of its
// own point to a private address (DNS rebinding); the browser then takes the server for the page's own, but says which name it called.
func (g *guard) named(next http.Handler) http.Handler {
	if len(g.Hosts) == 0 {
		return next
	}
	known := make(map[string]bool, len(g.Hosts))
	for _, host := range g.Hosts {
		known[hostName(host)] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !known[hostName(r.Host)] {
			g.refuse(w, r, reasonHost, Refusal{
				Status: http.StatusMisdirectedRequest, Code: "unknown_host", Message: "This server does not answer to the name in the request's Host header.",
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

package guard

import (
	"net/http"
	"path"
	"strings"
)

// Paths are paths such as "/metrics", and with a slash at the end all that begins so, such as "/v2/health/". "/" alone is the root and nothing else.
type Paths []string

// Match says whether a request's path is among p. A path that a server would first have to clean or decode ("/web/../v1", "/web%2Fx") is never:
// what is guarded would depend on who reads it.
func (p Paths) Match(r *http.Request) bool {
	at := r.URL.Path
	if r.URL.RawPath != "" || !clean(at) {
		return false
	}
	for _, known := range p {
		if at == known || known != "/" && strings.HasSuffix(known, "/") && strings.HasPrefix(at, known) {
			return true
		}
	}
	return false
}

// clean says whether a path is written in the shortest way; a slash at its end may stay.
func clean(at string) bool {
	short := path.Clean(at)
	return strings.HasPrefix(at, "/") && (at == short || at == short+"/")
}

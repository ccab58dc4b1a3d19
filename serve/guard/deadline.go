package guard

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// writeGrace is how long after a request's end its answer may still be on its way to the client.
const writeGrace = 10 * time.Second

// deadlines ends what takes too long: the arrival of a body and the sending of an answer by deadlines on the connection, the work
// between them by the request's context. A handler must look at its context; nothing can stop one that does not.
func (g *guard) deadlines(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := exchangeOf(r.Context())
		control := http.NewResponseController(w)
		// What has no connection, such as a recorder in a test, has no deadlines either: the errors say just that.
		_ = control.SetWriteDeadline(e.began.Add(g.Timeout + writeGrace))
		if hasBody(r) { // without one the server already watches the connection, and a deadline would look like the client's end
			_ = control.SetReadDeadline(e.began.Add(min(g.BodyTimeout, g.Timeout)))
		}
		ctx, cancel := context.WithDeadline(r.Context(), e.began.Add(g.Timeout))
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
		if e.status == 0 && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			g.Errors.Write(w, r, Refusal{Status: http.StatusGatewayTimeout, Code: "timeout", Message: "The request took longer than this server lets one take."})
		}
	})
}

// hasBody says whether a request's body may have bytes.
func hasBody(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

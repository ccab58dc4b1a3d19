package guard

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"
)

// requestIDHeader is the name under which ids come and go.
const requestIDHeader = "X-Request-Id"

// RequestID is the id of the request whose context this is, "" outside a guard.
func RequestID(ctx context.Context) string {
	if e, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return e.id
	}
	return ""
}

// identify gives each request its id, the client's if it has sent a sane one, and begins its exchange.
func (g *guard) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := &exchange{ResponseWriter: w, id: requestID(r.Header), began: time.Now(), unread: hasBody(r), stop: g.Drain.Draining}
		w.Header().Set(requestIDHeader, e.id)
		inner := r.WithContext(context.WithValue(r.Context(), exchangeKey{}, e))
		defer func() { r.Pattern = e.route }() // for what stands around the guard, as a mux would have told it
		next.ServeHTTP(e, inner)
	})
}

func requestID(h http.Header) string { return IDFor(h.Values(requestIDHeader)) }

// IDFor is the id that a client has sent, if it has sent one and a sane one, else a new one of 130 random bits.
func IDFor(sent []string) string {
	if len(sent) == 1 && saneID(sent[0]) {
		return sent[0]
	}
	return rand.Text()
}

// saneID says whether an id may go into logs and headers as it is: up to 128 of the characters that UUIDs, base64 and cloud proxies use.
func saneID(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '=', c == '+', c == '/':
		default:
			return false
		}
	}
	return 0 < len(id) && len(id) <= 128
}

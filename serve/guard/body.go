package guard

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

const (
	firstRead = 64 << 10 // bytes that a body gets before any of it has arrived, whatever length it claims
	lightBody = 64 << 10 // the most bytes that the handler of a light path may read
	bodyRetry = time.Second
)

// errNoRoom is returned where the bodies of other requests leave no room for one more.
var errNoRoom = errors.New("no room for one more body")

// bodied reads a request's body into memory before the handler sees the request, within the limits for one and for all
// together. So a client that sends slowly holds no place of the limiter, and one that ends while it waits for a place is noticed.
func (g *guard) bodied(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !hasBody(r):
			next.ServeHTTP(w, r)
			return
		case g.Light.Match(r):
			r.Body = http.MaxBytesReader(w, r.Body, lightBody)
			next.ServeHTTP(w, r)
			return
		case r.ContentLength > g.MaxBody:
			g.tooLarge(w, r)
			return
		}
		e := exchangeOf(r.Context())
		limited := http.MaxBytesReader(e.ResponseWriter, r.Body, g.MaxBody) // the server's own writer: it then lets the client read the answer
		data, taken, err := readBody(limited, r.ContentLength, g.MaxBody, &g.bodies)
		defer g.bodies.give(taken)
		if err != nil {
			g.unread(w, r, err)
			return
		}
		e.unread = false
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // from here on the server watches the connection for the client's end
		r.Body = io.NopCloser(bytes.NewReader(data))
		r.ContentLength = int64(len(data))
		next.ServeHTTP(w, r)
	})
}

// unread answers a request whose body could not be read.
func (g *guard) unread(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		g.tooLarge(w, r)
	case errors.Is(err, errNoRoom):
		g.refuse(w, r, reasonMemory, Refusal{
			Status: http.StatusTooManyRequests, Code: "busy", Message: "The server holds as much as it can of other requests; try again.", RetryAfter: bodyRetry,
		})
	case errors.Is(err, os.ErrDeadlineExceeded):
		g.refuse(w, r, reasonSlow, Refusal{
			Status: http.StatusRequestTimeout, Code: "body_timeout", Message: fmt.Sprintf("The body did not arrive within %v.", min(g.BodyTimeout, g.Timeout)),
		})
	default: // cut off, or chunks that are none; the error may name addresses
		g.refuse(w, r, reasonBroken, Refusal{
			Status: http.StatusBadRequest, Code: "invalid_request", Message: "The body ended before it was complete.",
		})
	}
}

func (g *guard) tooLarge(w http.ResponseWriter, r *http.Request) {
	g.refuse(w, r, reasonBody, Refusal{
		Status: http.StatusRequestEntityTooLarge, Code: "too_large",
		Message: fmt.Sprintf("The body is larger than %d bytes, the most that this server takes.", g.MaxBody),
	})
}

// readBody reads a body that claims a length (-1 for none) and ends by itself at the limit, with room that b gives bit by bit as
// bytes arrive. What was taken of b is returned also with an error.
func readBody(body io.Reader, claimed, limit int64, b *budget) (data []byte, taken int64, err error) {
	most := limit + 1 // one more, so that the end is seen without growing
	if claimed >= 0 {
		most = min(most, claimed+1)
	}
	for {
		if len(data) == cap(data) {
			size := min(max(2*int64(cap(data)), firstRead), max(most, int64(len(data))+512))
			if !b.take(size - taken) {
				return nil, taken, errNoRoom
			}
			taken = size
			data = append(make([]byte, 0, size), data...)
		}
		n, err := body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, taken, nil
		}
		if err != nil {
			return nil, taken, err
		}
	}
}

// A budget is a number of bytes shared by many.
type budget struct {
	most int64
	used atomic.Int64
}

// take takes n bytes, or none if there are not as many.
func (b *budget) take(n int64) bool {
	if b.used.Add(n) > b.most {
		b.used.Add(-n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.used.Add(-n) }

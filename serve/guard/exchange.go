package guard

import (
	"net/http"
	"time"
)

// An exchange is a request's ResponseWriter that remembers what went through it. The parts of the guard share it.
type exchange struct {
	http.ResponseWriter
	id       string
	began    time.Time
	route    string // the pattern that the handler's mux chose, "" for none
	status   int    // 0 until the header is written
	bytes    int64  // of the body
	rejected string // the reason, where guard has answered itself
	unread   bool   // a body may still be on its way
	stop     func() bool
}

// WriteHeader remembers the status. A server that is draining asks clients not to use the connection again.
func (e *exchange) WriteHeader(status int) {
	if e.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) { // others announce an answer, and are none
		e.status = status
		if e.stop() {
			e.Header().Set("Connection", "close")
		}
	}
	e.ResponseWriter.WriteHeader(status)
}

// Write counts bytes.
func (e *exchange) Write(data []byte) (int, error) {
	if e.status == 0 {
		e.WriteHeader(http.StatusOK)
	}
	n, err := e.ResponseWriter.Write(data)
	e.bytes += int64(n)
	return n, err
}

// Flush sends what has been written so far, where the server can; http.ResponseController finds it too.
func (e *exchange) Flush() {
	if e.status == 0 {
		e.WriteHeader(http.StatusOK)
	}
	_ = http.NewResponseController(e.ResponseWriter).Flush() // http.Flusher has no errors
}

// Unwrap lets http.ResponseController reach the connection.
func (e *exchange) Unwrap() http.ResponseWriter { return e.ResponseWriter }

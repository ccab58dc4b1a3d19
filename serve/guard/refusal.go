package guard

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Refusal is an answer that is given in a handler's place.
type Refusal struct {
	Status     int
	Code       string        // for programs, such as "too_large"; stays the same from version to version
	Message    string        // a sentence for people
	ID         string        // the request's; Formats.Write puts it in
	RetryAfter time.Duration // when it is worth trying again; 0 for no advice
}

// A Format makes a refusal's body, to be written as JSON, as one protocol has it.
type Format func(Refusal) any

// Own is {"error":{"code":...,"message":...,"request_id":...}}.
func Own(r Refusal) any {
	return map[string]any{"error": map[string]any{"code": r.Code, "message": r.Message, "request_id": r.ID}}
}

// OpenAI is {"error":{"message":...,"type":...,"param":null,"code":...}}.
func OpenAI(r Refusal) any {
	kind := "invalid_request_error"
	switch {
	case r.Status == http.StatusTooManyRequests:
		kind = "rate_limit_error"
	case r.Status >= 500:
		kind = "server_error"
	}
	return map[string]any{"error": map[string]any{"message": r.Message, "type": kind, "param": nil, "code": r.Code}}
}

// Sentence is {"error":"..."}, as Hugging Face's servers and the Open Inference Protocol have it.
func Sentence(r Refusal) any { return map[string]any{"error": r.Message} }

// Formats are formats by path prefix, such as "/v2/". The longest that fits counts, and Own where none does.
type Formats map[string]Format

// For is the format of a path.
func (f Formats) For(path string) Format {
	best, format := -1, Format(Own)
	for prefix, form := range f {
		if len(prefix) > best && strings.HasPrefix(path, prefix) {
			best, format = len(prefix), form
		}
	}
	return format
}

// Write answers a request with a refusal. Of the headers that were set so far, those of another answer's content are taken back.
func (f Formats) Write(w http.ResponseWriter, r *http.Request, refusal Refusal) {
	refusal.ID = RequestID(r.Context())
	body, err := json.Marshal(f.For(r.URL.Path)(refusal))
	if err != nil { // a foreign Format that makes what is not JSON
		body = fmt.Appendf(nil, `{"error":%q}`, http.StatusText(refusal.Status))
	}
	h := w.Header()
	for _, name := range []string{"Content-Encoding", "Content-Disposition", "Content-Range", "Etag", "Last-Modified", "Expires"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	h.Set("Cache-Control", "no-store")
	if refusal.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(refusal.RetryAfter.Seconds()))))
	}
	w.WriteHeader(refusal.Status)
	_, _ = w.Write(append(body, '\n')) // a client that has gone needs no answer
}

// linger is how long a connection stays open for a client that is still sending a body nobody wants: one that is cut off while it
// writes may never read the answer.
const linger = time.Second

// refuse answers in the handler's place and tells the observer why, by one of the reasons below. The connection ends with an answer that comes before
// the body: the server would else wait for the body before it sends the answer.
func (g *guard) refuse(w http.ResponseWriter, r *http.Request, reason string, refusal Refusal) {
	e := exchangeOf(r.Context())
	e.rejected = reason
	if e.unread {
		w.Header().Set("Connection", "close")
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(linger))
	}
	g.Observer.Rejected(reason)
	g.Errors.Write(w, r, refusal)
}

// The reasons for which requests are not let in.
const (
	reasonToken    = "token"    // none, or one that is not known
	reasonBody     = "body"     // too large
	reasonSlow     = "slow"     // the body took too long to arrive
	reasonBroken   = "broken"   // the body ended early
	reasonMemory   = "memory"   // no room for one more body
	reasonQueue    = "queue"    // all places taken, and the queue full
	reasonWait     = "wait"     // in the queue for too long
	reasonDraining = "draining" // the server is about to end
	reasonOrigin   = "origin"   // another origin's page
	reasonHost     = "host"     // called by a name that is not the server's
)

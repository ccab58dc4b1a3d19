package openai

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// delta is what a piece adds to the message; the last adds nothing.
type delta struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

// stream answers with server-sent events: the role, the answer, its end, and the usage if that is wanted. The answer is there before the first is sent, so
// that an error is a status as ever.
func stream(w http.ResponseWriter, c *completion, withUsage bool) {
	whole := c.Choices[0]
	empty := ""
	piece := func(choices ...choice) *completion {
		return &completion{ID: c.ID, Object: "chat.completion.chunk", Created: c.Created, Model: c.Model, Choices: choices}
	}
	pieces := []*completion{
		piece(choice{Delta: &delta{Role: whole.Message.Role, Content: &empty}}),
		piece(choice{Delta: &delta{Content: &whole.Message.Content}, Logprobs: whole.Logprobs}),
		piece(choice{Delta: &delta{}, FinishReason: whole.FinishReason}),
	}
	pieces[0].Notes = c.Notes
	if withUsage {
		pieces = append(pieces, piece())
		pieces[3].Choices, pieces[3].Usage = []choice{}, c.Usage
	}
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	for _, p := range pieces {
		body.WriteString("data: ")
		e.Encode(p) // numbers and texts: always possible
		body.WriteString("\n")
	}
	body.WriteString("data: [DONE]\n\n")
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	w.Write(body.Bytes())
}

package openai

import (
	"cmp"
	"crypto/rand"
	"math"
	"net/http"
	"time"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// completion is an answer, or with another object and deltas in place of messages a piece of one.
type completion struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   *usage   `json:"usage,omitempty"`
	Notes   []string `json:"notes,omitempty"` // ours: what should be known before the answer is believed
}

// choice is the answer; there is one.
type choice struct {
	Index        int       `json:"index"`
	Message      *said     `json:"message,omitempty"`
	Delta        *delta    `json:"delta,omitempty"`
	Logprobs     *logprobs `json:"logprobs"`
	FinishReason *string   `json:"finish_reason"`
}

// said is what the model says.
type said struct {
	Role    string  `json:"role"`
	Content string  `json:"content"`
	Refusal *string `json:"refusal"` // never
}

// usage counts tokens: those that the model reads of the question, [CLS] and [SEP] among them, and one for the answer, which is one class. Regions are not
// counted.
type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// logprobs has the answer, whole, as if it were one token: to the model it is.
type logprobs struct {
	Content []logprob `json:"content"`
}

type logprob struct {
	token
	TopLogprobs []token `json:"top_logprobs"`
}

// token is an answer and the logarithm of its probability among all answers.
type token struct {
	Token   string  `json:"token"`
	Logprob float64 `json:"logprob"`
	Bytes   []int   `json:"bytes"`
}

// chat answers the last question of a conversation.
func (a *api) chat(w http.ResponseWriter, r *http.Request) {
	in, err := read(r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	c, err := a.complete(r, in)
	switch {
	case err != nil:
		refuse(w, r, err)
	case in.stream():
		stream(w, c, in.StreamOptions != nil && in.StreamOptions.IncludeUsage)
	default:
		wire.WriteJSON(w, http.StatusOK, c)
	}
}

// complete is the whole answer.
func (a *api) complete(r *http.Request, in *request) (*completion, error) {
	card, err := wire.Model(a.service, cmp.Or(r.PathValue("name"), in.Model))
	if err != nil {
		return nil, of("model", err)
	}
	question, text, err := in.asked()
	if err != nil {
		return nil, err
	}
	tokens, err := a.service.CountTokens(card.ID, question)
	if err != nil {
		return nil, of("messages", err)
	}
	picture, err := wire.Picture(r.Context(), a.service, text)
	if err != nil {
		return nil, of("messages", wire.Field("image_url", err))
	}
	sight, err := a.service.See(r.Context(), card.ID, picture)
	if err != nil {
		return nil, of("messages", err)
	}
	results, err := a.service.Answer(r.Context(), card.ID, sight, []string{question}, 1+mostLogprobs)
	if err != nil {
		return nil, of("messages", err)
	}
	answers, stop := results[0].Answers, "stop"
	c := &completion{
		ID: "chatcmpl-" + rand.Text(), Object: "chat.completion", Created: time.Now().Unix(), Model: card.ID, Notes: sight.Notes,
		Choices: []choice{{Message: &said{Role: "assistant", Content: answers[0].Text}, FinishReason: &stop}},
		Usage:   &usage{tokens, 1, tokens + 1},
	}
	if in.logprobs() {
		top := 0
		if in.TopLogprobs != nil {
			top = *in.TopLogprobs
		}
		c.Choices[0].Logprobs = logprobsOf(answers, top)
	}
	return c, nil
}

func logprobsOf(answers []service.Answer, top int) *logprobs {
	one := logprob{token: tokenOf(answers[0]), TopLogprobs: []token{}}
	for _, a := range answers[:min(top, len(answers))] {
		one.TopLogprobs = append(one.TopLogprobs, tokenOf(a))
	}
	return &logprobs{[]logprob{one}}
}

// least is what OpenAI writes for the logarithm of a probability too small to matter.
const least = -9999

func tokenOf(a service.Answer) token {
	t := token{Token: a.Text, Logprob: max(math.Log(float64(a.Probability)), least), Bytes: make([]int, len(a.Text))}
	for i := range t.Bytes {
		t.Bytes[i] = int(a.Text[i])
	}
	return t
}

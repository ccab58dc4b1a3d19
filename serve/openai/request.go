package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// request is what is read of a request. What steers sampling (temperature, top_p, seed, max_tokens, stop and the like) is passed over: there is nothing to
// sample, the answer is the likeliest of a table, and always the same.
type request struct {
	Model         string    `json:"model"`
	Messages      []message `json:"messages"`
	N             *int      `json:"n"`
	Logprobs      *bool     `json:"logprobs"`
	TopLogprobs   *int      `json:"top_logprobs"`
	Stream        *bool     `json:"stream"`
	StreamOptions *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`

	// Those that would change what an answer is, and are refused.
	Tools          json.RawMessage `json:"tools"`
	ToolChoice     json.RawMessage `json:"tool_choice"`
	Functions      json.RawMessage `json:"functions"`
	FunctionCall   json.RawMessage `json:"function_call"`
	Audio          json.RawMessage `json:"audio"`
	ResponseFormat json.RawMessage `json:"response_format"`
}

// message is one of a conversation.
type message struct {
	Role    string  `json:"role"`
	Content content `json:"content"`
}

// content is a text, or a list of parts.
type content []part

// part is a text or a picture; or what is neither, of which only the type is known.
type part struct {
	Type     string   `json:"type"`
	Text     string   `json:"text"`
	ImageURL imageURL `json:"image_url"`
}

// imageURL is an object with the URL, or as some clients write it the URL itself.
type imageURL string

// The types of parts that are read.
const (
	partText  = "text"
	partImage = "image_url"
)

// UnmarshalJSON reads a text as a list of one part.
func (c *content) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte("[")) {
		if err := json.Unmarshal(text, (*[]part)(c)); err != nil {
			return fmt.Errorf("messages: content: %w", jsonerror.Explain(err))
		}
		return nil
	}
	var whole *string
	if json.Unmarshal(text, &whole) != nil {
		return fmt.Errorf("messages: content: found %.20s, want a text or a list of parts", text)
	}
	if *c = nil; whole != nil {
		*c = content{{Type: partText, Text: *whole}}
	}
	return nil
}

// UnmarshalJSON reads either.
func (u *imageURL) UnmarshalJSON(text []byte) error {
	if !bytes.HasPrefix(text, []byte("{")) {
		if json.Unmarshal(text, (*string)(u)) != nil {
			return fmt.Errorf("image_url: found %.20s, want an object with a url", text)
		}
		return nil
	}
	var object struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(text, &object); err != nil {
		return fmt.Errorf("image_url: %w", jsonerror.Explain(err))
	}
	*u = imageURL(object.URL)
	return nil
}

// mostLogprobs is how many answers may be asked for beside the one that is given; OpenAI's limit.
const mostLogprobs = 20

// read reads a request and refuses what is asked for in vain.
func read(r *http.Request) (*request, error) {
	in := &request{}
	if err := wire.ReadJSON(r, in); err != nil {
		return nil, err
	}
	for _, refused := range []struct {
		param   string
		value   json.RawMessage
		allowed []string // what asks for nothing
	}{
		{"tools", in.Tools, []string{`[]`}}, {"tool_choice", in.ToolChoice, []string{`"none"`, `"auto"`}}, {"functions", in.Functions, []string{`[]`}},
		{"function_call", in.FunctionCall, []string{`"none"`, `"auto"`}}, {"audio", in.Audio, nil},
		{"response_format", in.ResponseFormat, []string{`{"type":"text"}`}},
	} {
		if asks(refused.value, refused.allowed) {
			return nil, of(refused.param, &service.Error{
				Kind: service.Unsupported, Code: "unsupported_parameter",
				Message: refused.param + " is not supported: the model is a classifier, whose answer is one of a table, as text",
			})
		}
	}
	if in.N != nil && *in.N != 1 {
		return nil, invalid("n", "n: found %d, want 1: the answer is always the same; ask for others with logprobs and top_logprobs", *in.N)
	}
	if in.TopLogprobs != nil {
		if !in.logprobs() {
			return nil, invalid("top_logprobs", "top_logprobs: it wants logprobs to be true")
		}
		if *in.TopLogprobs < 0 || *in.TopLogprobs > mostLogprobs {
			return nil, invalid("top_logprobs", "top_logprobs: found %d, want 0 to %d", *in.TopLogprobs, mostLogprobs)
		}
	}
	if in.StreamOptions != nil && !in.stream() {
		return nil, invalid("stream_options", "stream_options: it wants stream to be true")
	}
	return in, nil
}

// asks reports whether a parameter is there and asks for something.
func asks(value json.RawMessage, allowed []string) bool {
	var plain bytes.Buffer
	if len(value) == 0 || json.Compact(&plain, value) != nil || plain.String() == "null" {
		return false
	}
	for _, a := range allowed {
		if plain.String() == a {
			return false
		}
	}
	return true
}

func (in *request) logprobs() bool { return in.Logprobs != nil && *in.Logprobs }
func (in *request) stream() bool   { return in.Stream != nil && *in.Stream }

// asked is what the conversation comes to: the text of its last user message, and the last picture up to there, which may be of an earlier message.
func (in *request) asked() (question, picture string, err error) {
	if len(in.Messages) == 0 {
		return "", "", invalid("messages", "messages: missing, want one of role user with a picture and a question")
	}
	last := -1
	for i, m := range in.Messages {
		if m.Role != "user" {
			continue
		}
		last = i
		for k, p := range m.Content {
			switch p.Type {
			case partText:
			case partImage:
				if picture = string(p.ImageURL); picture == "" {
					return "", "", invalid("messages", "messages[%d].content[%d].image_url: missing, want an object with a url", i, k)
				}
			default:
				return "", "", invalid("messages", "messages[%d].content[%d].type: found %.40q, want text or image_url", i, k, p.Type)
			}
		}
	}
	if last < 0 {
		return "", "", invalid("messages", "messages: there is none of role user, want one with a picture and a question")
	}
	var texts []string
	for _, p := range in.Messages[last].Content {
		if p.Type == partText && strings.TrimSpace(p.Text) != "" {
			texts = append(texts, p.Text)
		}
	}
	switch {
	case picture == "":
		return "", "", invalid("messages", "messages: there is no picture, want a part of type image_url with a data URL: "+
			"the model answers questions about pictures, and does not chat")
	case len(texts) == 0:
		return "", "", invalid("messages", "messages: the last one of role user has no text, want a question about the picture")
	}
	return strings.Join(texts, "\n"), picture, nil
}

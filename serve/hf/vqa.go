package hf

import (
	"net/http"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// pair is a picture and a question as the published schema has them.
type pair struct {
	Image    *string `json:"image"`
	Question *string `json:"question"`
}

// answered is one answer. Its score is a confidence: the probability, less where the picture is not of the model's world.
type answered struct {
	Score  float32 `json:"score"`
	Answer string  `json:"answer"`
}

// visualQuestionAnswering answers a question about a picture. The published schema has both in inputs; huggingface_hub's client sends the picture twice, as
// inputs and as image, and the question beside them.
func (a *api) visualQuestionAnswering(r *http.Request, card service.Card, in *request) (any, error) {
	var about pair
	name := "inputs"
	if in.given() {
		switch in.Inputs[0] {
		case '{':
			name = "inputs.image"
			if err := wire.Parse(in.Inputs, &about); err != nil {
				return nil, wire.Field("inputs", err)
			}
		case '"':
			if err := wire.Parse(in.Inputs, &about.Image); err != nil {
				return nil, wire.Field("inputs", err)
			}
		default:
			return nil, service.Invalidf("inputs: found %.20s, want an object with image and question, or a picture in base64", in.Inputs)
		}
	}
	question := first(about.Question, in.Question)
	if question == nil {
		return nil, service.Invalidf("question: missing, want one about the picture (other tasks than visual question answering are at /pipeline/{task})")
	}
	top, err := in.top()
	if err != nil {
		return nil, err
	}
	sight, err := a.see(r, card, in, name, about.Image)
	if err != nil {
		return nil, err
	}
	results, err := a.service.Answer(r.Context(), card.ID, sight, []string{*question}, top)
	if err != nil {
		return nil, err
	}
	list := make([]answered, len(results[0].Answers))
	for i, answer := range results[0].Answers {
		list[i] = answered{answer.Confidence, answer.Text}
	}
	return list, nil
}

// see finds the regions of the request's picture.
func (a *api) see(r *http.Request, card service.Card, in *request, name string, text *string) (*service.Sight, error) {
	picture, err := in.picture(r.Context(), a.service, name, text)
	if err != nil {
		return nil, err
	}
	if picture == nil {
		return nil, service.Invalidf("%s: missing, want a picture: its file in base64, or a data URL", name)
	}
	return a.service.See(r.Context(), card.ID, *picture)
}

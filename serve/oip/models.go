package oip

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/serve/service"
)

// TensorsSuffix makes of a model's name that of the model that takes tensors.
const TensorsSuffix = "-tensors"

// platform is what the metadata say of every model.
const platform = "lxmert_go"

// served is a model of the protocol.
type served struct {
	name    string
	card    service.Card
	tensors bool // it takes what LXMERT takes
}

// A signature is what the metadata say of a tensor: -1 is an axis of any size.
type signature struct {
	Name     string `json:"name"`
	Datatype string `json:"datatype"`
	Shape    []int  `json:"shape"`
}

// find finds a model by name and version, "" for the version that there is.
func (a *API) find(name, version string) (*served, error) {
	if name == "" {
		return nil, service.Invalidf("the model's name is missing: want one of %s", a.names())
	}
	m := &served{name: name}
	var err error
	if m.card, err = a.service.Card(name); isNotFound(err) {
		var base string
		if base, m.tensors = strings.CutSuffix(name, TensorsSuffix); m.tensors && base != "" {
			m.card, err = a.service.Card(base)
		}
		if isNotFound(err) {
			err = notFound("model_not_found", "there is no model %.80q here, only %s", name, a.names())
		}
	}
	if err != nil {
		return nil, err
	}
	if version != "" && version != m.card.Version {
		return nil, notFound("version_not_found", "model %s has version %s here, not %.80q", name, m.card.Version, version)
	}
	return m, nil
}

// all are the models, in the service's order.
func (a *API) all() []*served {
	var models []*served
	for _, card := range a.service.Cards() {
		models = append(models, &served{card.ID, card, false}, &served{card.ID + TensorsSuffix, card, true})
	}
	return models
}

func (a *API) names() string {
	var names []string
	for _, m := range a.all() {
		names = append(names, m.name)
	}
	return strings.Join(names, ", ")
}

// inputs are those that the model takes. NAME wants the question, and either the image or the regions; NAME-tensors can do without the masks and
// token_type_ids.
func (m *served) inputs() []signature {
	regions := []signature{
		{"visual_feats", "FP32", []int{-1, -1, m.card.FeatureWidth}},
		{"visual_pos", "FP32", []int{-1, -1, m.card.PosWidth}},
		{"visual_attention_mask", "INT64", []int{-1, -1}},
	}
	if m.tensors {
		return append([]signature{
			{"input_ids", "INT64", []int{-1, -1}},
			{"attention_mask", "INT64", []int{-1, -1}},
			{"token_type_ids", "INT64", []int{-1, -1}},
		}, regions...)
	}
	list := []signature{{"question", "BYTES", []int{-1}}}
	if m.card.Detector != "" {
		list = append([]signature{{"image", "BYTES", []int{-1}}}, list...)
	}
	return append(list, regions...)
}

// outputs are those that the model gives.
func (m *served) outputs() []signature {
	if !m.tensors {
		return []signature{
			{"answer", "BYTES", []int{-1, -1}},
			{"score", "FP32", []int{-1, -1}},
			{"answer_id", "INT64", []int{-1, -1}},
			{"logit", "FP32", []int{-1, -1}},
			{"confidence", "FP32", []int{-1, -1}},
		}
	}
	c := m.card
	list := []signature{{"question_answering_score", "FP32", []int{-1, c.Answers}}}
	if c.Does(service.TaskFillMask) { // the heads of pre-training come together
		list = append(list, signature{"prediction_logits", "FP32", []int{-1, -1, c.Vocabulary}}, signature{"cross_relationship_score", "FP32", []int{-1, 2}})
	}
	return append(list,
		signature{"pooled_output", "FP32", []int{-1, c.Hidden}},
		signature{"language_output", "FP32", []int{-1, -1, c.Hidden}},
		signature{"vision_output", "FP32", []int{-1, -1, c.Hidden}},
	)
}

// properties are what the metadata say beyond that.
func (m *served) properties() map[string]string {
	p := map[string]string{"description": m.card.Description}
	if m.card.Preset != "" {
		p["region_preset"] = m.card.Preset
	}
	if len(m.card.Notes) > 0 {
		p["notes"] = strings.Join(m.card.Notes, " ")
	}
	return p
}

// parameters are those that a request may have for this model, beyond those that mean nothing here.
func (m *served) parameters() []string {
	if m.tensors {
		return []string{"timeout"}
	}
	return []string{"top_k", "timeout"}
}

// wanted are the outputs that a request names, or all.
func (m *served) wanted(names []string) ([]string, error) {
	var there []string
	for _, o := range m.outputs() {
		there = append(there, o.Name)
	}
	if len(names) == 0 {
		return there, nil
	}
	for i, name := range names {
		if !slices.Contains(there, name) {
			return nil, service.Invalidf("outputs: model %s has no output %.80q, only %s", m.name, name, strings.Join(there, ", "))
		}
		if slices.Contains(names[:i], name) {
			return nil, service.Invalidf("outputs: %s is asked for twice", name)
		}
	}
	return names, nil
}

// given are a request's inputs by name.
func (m *served) given(list []tensor) (map[string]*tensor, error) {
	var there []string
	for _, in := range m.inputs() {
		there = append(there, in.Name)
	}
	given := map[string]*tensor{}
	for i := range list {
		name := list[i].name
		if !slices.Contains(there, name) {
			return nil, service.Invalidf("inputs: model %s has no input %.80q, only %s", m.name, name, strings.Join(there, ", "))
		}
		if given[name] != nil {
			return nil, service.Invalidf("inputs: %s is there twice", name)
		}
		given[name] = &list[i]
	}
	return given, nil
}

func isNotFound(err error) bool { return err != nil && service.KindOf(err) == service.NotFound }

func notFound(code, format string, args ...any) error {
	return &service.Error{Kind: service.NotFound, Code: code, Message: fmt.Sprintf(format, args...)}
}

func tooLarge(code, format string, args ...any) error {
	return &service.Error{Kind: service.TooLarge, Code: code, Message: fmt.Sprintf(format, args...)}
}

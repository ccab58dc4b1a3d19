package service

import (
	"fmt"
	"time"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/vision"
)

// The tasks that models do, in the names of Hugging Face's hub.
const (
	TaskVQA       = "visual-question-answering"
	TaskDetection = "object-detection"
	TaskFillMask  = "fill-mask"
	TaskEmbedding = "feature-extraction"
)

// A Card says what a model is and does.
type Card struct {
	ID          string    `json:"id"`
	Version     string    `json:"version"` // counts loads, from 1
	Loaded      time.Time `json:"loaded"`
	Description string    `json:"description"`
	Source      string    `json:"source"` // the directory's name, or "shipped"
	Tasks       []string  `json:"tasks"`
	Answers     int       `json:"answers"`
	Preset      string    `json:"preset,omitempty"`   // of the regions that it was trained with
	Detector    string    `json:"detector,omitempty"` // preset of the regions that are found here; "" if none are

	Hidden         int `json:"hidden"`
	Heads          int `json:"heads"`
	LanguageLayers int `json:"language_layers"`
	VisionLayers   int `json:"vision_layers"`
	CrossLayers    int `json:"cross_layers"`
	FeatureWidth   int `json:"feature_width"`
	PosWidth       int `json:"pos_width"`
	Vocabulary     int `json:"vocabulary"`
	MaxTokens      int `json:"max_tokens"`
	Parameters     int `json:"parameters"`

	DType string `json:"dtype"` // how it keeps its weights: f32, bf16 or int8

	Notes []string `json:"notes,omitempty"`
}

// Does reports whether the model does a task.
func (c Card) Does(task string) bool {
	for _, t := range c.Tasks {
		if t == task {
			return true
		}
	}
	return false
}

func newCard(source Source, version string, m *lxmert.Model, extractor vision.Extractor) Card {
	c := m.Config()
	card := Card{
		ID: source.Name, Version: version, Loaded: time.Now().UTC().Truncate(time.Second), Source: source.Name,
		Answers: len(m.Labels()), Preset: pretrained.Preset(c),
		Hidden: c.HiddenSize, Heads: c.NumAttentionHeads, LanguageLayers: c.LanguageLayers, VisionLayers: c.VisionLayers, CrossLayers: c.CrossLayers,
		FeatureWidth: c.VisualFeatDim, PosWidth: c.VisualPosDim, Vocabulary: c.VocabSize, MaxTokens: c.MaxPositionEmbeddings,
		Tasks: []string{TaskVQA, TaskEmbedding}, DType: m.Precision().String(),
	}
	head := model.HeadQuestionAnswering
	if m.HasMaskedLanguageHead() {
		card.Tasks, head = append(card.Tasks, TaskFillMask), model.HeadPreTraining
	}
	if weights, err := model.Declare(c, head); err == nil {
		for _, w := range weights {
			card.Parameters += w.Size()
		}
	}
	card.Description = fmt.Sprintf("LXMERT with %d language, %d object-relationship and %d cross-modality layers of width %d: a classifier over %d answers.",
		card.LanguageLayers, card.VisionLayers, card.CrossLayers, card.Hidden, card.Answers)
	if extractor != nil {
		card.Detector = extractor.Preset()
		card.Tasks = append(card.Tasks, TaskDetection)
		if card.Preset != "" && card.Detector != card.Preset {
			card.Notes = append(card.Notes, fmt.Sprintf("The model was trained with regions of %s, but those found here are of %s: its answers mean little.", card.Preset, card.Detector))
		}
	} else {
		card.Notes = append(card.Notes, "There is no detector for its regions here: it answers about regions that are sent, not about pictures.")
	}
	if m.Precision() != model.Float32 {
		card.Notes = append(card.Notes, "It keeps its weights in "+card.DType+": it gives answers, and no explanations.")
	}
	if card.Preset == vision.Scenes {
		card.Notes = append(card.Notes, "It knows pictures of a small drawn world, and nothing else.")
	}
	return card
}

// Cards are those of all models, the first the one that is asked where none is named.
func (s *Service) Cards() []Card {
	var cards []Card
	for _, e := range s.entries {
		if card, err := s.Card(e.source.Name); err == nil {
			cards = append(cards, card)
		}
	}
	return cards
}

// Card is the card of a model by name, "" for the first.
func (s *Service) Card(name string) (Card, error) {
	l, err := s.use(name)
	if err != nil {
		return Card{}, err
	}
	defer l.release()
	return l.card, nil
}

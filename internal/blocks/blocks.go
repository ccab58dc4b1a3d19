// Package blocks is a small world for tests of training: pictures of coloured things, and what can be asked and said about them. A region's feature tells
// the colour, so a model of a few thousand weights can learn it all.
package blocks

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
	"github.com/go-lxmert/lxmert/vision"
)

// FeatureWidth is the width of a region's feature.
const FeatureWidth = 16

var colours = []string{"red", "green", "blue", "yellow"}

// Labels are the answers to the questions, in order of their ids; PreTrainingLabels those of pre-training, which lack some of them.
var (
	Labels            = []string{"yes", "no", "3", "5", "7"}
	PreTrainingLabels = []string{"no", "red", "yes", "3", "blue"}
)

// Words is a vocabulary for all sentences, as vocab.txt has it.
var Words = strings.Join(append([]string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"},
	strings.Fields("is there a red green blue yellow thing ? how many things are both have picture of and")...), "\n") + "\n"

// A Scene is a picture.
type Scene struct {
	ID      string
	Colours []int // of its things
	vision.Regions
}

// Scenes makes n pictures of 3 or, the third of them, of 5 things. Their ids begin with prefix.
func Scenes(seed uint64, prefix string, n int) []Scene {
	r := rand.New(rand.NewPCG(seed, 1908_07490))
	scenes := make([]Scene, n)
	for i := range scenes {
		things := 3
		if i%3 == 2 {
			things = 5
		}
		scenes[i] = scene(r, fmt.Sprintf("%s%d", prefix, i), things)
	}
	return scenes
}

func scene(r *rand.Rand, id string, things int) Scene {
	s := Scene{ID: id, Regions: vision.Regions{FeatureWidth: FeatureWidth, Size: vision.Size{Width: 128, Height: 64}}}
	for range things {
		colour := r.IntN(len(colours))
		s.Colours = append(s.Colours, colour)
		feature := make([]float32, FeatureWidth)
		for i := range feature {
			feature[i] = r.Float32() * 0.25
		}
		feature[colour] += 2
		s.Features = append(s.Features, feature...)
		x, y := float32(r.IntN(64))/128, float32(r.IntN(32))/64 // which a feature file gives back to the bit
		s.Boxes = append(s.Boxes, x, y, x+0.25, y+0.5)
		s.Objects = append(s.Objects, vision.Label{ID: colour, Confidence: 0.5 + r.Float32()/2})
		s.Attributes = append(s.Attributes, vision.Label{ID: len(colours) - 1 - colour, Confidence: r.Float32() / 2})
	}
	return s
}

// has says whether a scene has a thing of a colour.
func (s Scene) has(colour int) bool { return slices.Contains(s.Colours, colour) }

// Questions asks of each colour whether it is there, and how many things there are. Ids count from first.
func Questions(scenes []Scene, first int64) []questions.Question {
	var qs []questions.Question
	ask := func(s Scene, sentence, asked, kind string, label ...answers.Score) {
		qs = append(qs, questions.Question{ID: questions.NumberID(first + int64(len(qs))), Image: s.ID, Sentence: sentence, Label: label, QuestionType: asked, AnswerType: kind})
	}
	for _, s := range scenes {
		for colour, name := range colours {
			ask(s, fmt.Sprintf("Is there a %s thing?", name), "is there", "yes/no", yes(s.has(colour)))
		}
		ask(s, "How many things are there?", "how many", "number", answers.Score{Answer: strconv.Itoa(len(s.Colours)), Score: 1}, answers.Score{Answer: "7", Score: 0.3})
	}
	return qs
}

func yes(is bool) answers.Score {
	if is {
		return answers.Score{Answer: "yes", Score: 1}
	}
	return answers.Score{Answer: "no", Score: 1}
}

// Statements says of neighbouring scenes that both have a thing of some colour.
func Statements(scenes []Scene) []questions.Question {
	var qs []questions.Question
	for i := range len(scenes) - 1 {
		for colour, name := range colours {
			truth := scenes[i].has(colour) && scenes[i+1].has(colour)
			qs = append(qs, questions.Question{ID: questions.TextID(fmt.Sprintf("mine-%d-%d-0", i, colour)), Image: scenes[i].ID, Second: scenes[i+1].ID,
				Sentence: fmt.Sprintf("Both have a %s thing", name), Truth: &truth, UID: fmt.Sprintf("u%d%d", i, colour)})
		}
	}
	return qs
}

// Sentences are captions and questions, as pre-training reads them.
func Sentences(scenes []Scene) []questions.Question {
	var qs []questions.Question
	for _, s := range scenes {
		qs = append(qs, questions.Question{Image: s.ID, Source: "mscoco",
			Sentence: fmt.Sprintf("A picture of %s and %s", colours[s.Colours[0]], colours[s.Colours[1]])})
		for _, q := range Questions([]Scene{s}, 0) {
			qs = append(qs, questions.Question{Image: s.ID, Source: "vqa", Sentence: q.Sentence, Label: q.Label})
		}
	}
	return qs
}

// Seq goes through questions.
func Seq(qs []questions.Question) questions.Seq {
	return func(yield func(questions.Question, error) bool) {
		for _, q := range qs {
			if !yield(q, nil) {
				return
			}
		}
	}
}

// Tokenizer knows Words.
func Tokenizer(t testing.TB) *tokenizer.Tokenizer {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vocab.txt")
	if err := os.WriteFile(path, []byte(Words), 0o644); err != nil {
		t.Fatal(err)
	}
	words, err := tokenizer.LoadVocab(path)
	if err != nil {
		t.Fatal(err)
	}
	return words
}

// Config is a model of the smallest size that learns; it has dropout.
func Config() *model.Config {
	c := model.DefaultConfig()
	c.VocabSize = strings.Count(Words, "\n")
	c.HiddenSize, c.NumAttentionHeads, c.IntermediateSize = 16, 2, 32
	c.LanguageLayers, c.VisionLayers, c.CrossLayers = 1, 1, 1
	c.MaxPositionEmbeddings = 16
	c.VisualFeatDim = FeatureWidth
	c.NumQALabels, c.NumObjectLabels, c.NumAttrLabels = len(Labels), len(colours), len(colours)
	return c
}

// Source has scenes as regions in memory.
type Source []Scene

var _ data.Source = Source(nil)

// Path implements [data.Source].
func (s Source) Path() string { return "scenes" }

// Len implements [data.Source].
func (s Source) Len() int { return len(s) }

// IDs implements [data.Source].
func (s Source) IDs() []string {
	ids := make([]string, len(s))
	for i := range s {
		ids[i] = s[i].ID
	}
	return ids
}

// Get implements [data.Source].
func (s Source) Get(id string) (vision.Regions, error) {
	i := slices.IndexFunc(s, func(scene Scene) bool { return scene.ID == id })
	if i < 0 {
		return vision.Regions{}, &data.NotFoundError{Path: s.Path(), ID: id}
	}
	return s[i].Regions, nil
}

// All implements [data.Source].
func (s Source) All() iter.Seq2[data.Record, error] {
	return func(yield func(data.Record, error) bool) {
		for _, scene := range s {
			if !yield(data.Record{ID: scene.ID, Regions: scene.Regions}, nil) {
				return
			}
		}
	}
}

// Close implements [data.Source].
func (s Source) Close() error { return nil }

package eval

import (
	"fmt"
	"iter"
	"strings"
)

// Split names a part of a data set: {"vqa", "train"}, {"gqa", "testdev"}, {"nlvr2", "valid"}; of LXMERT's aggregated pre-training data,
// {"lxmert", "mscoco_train"}. Data of one's own has names of one's own.
type Split struct {
	DataSet string `json:"data_set"`
	Name    string `json:"split"`
}

func (s Split) String() string { return s.DataSet + " " + s.Name }

// Example is what makes a question, statement or caption the same as another: its pictures and its words.
type Example struct {
	Pictures []string // their ids, in the spelling of the region store
	Text     string
}

// Trained is the record of one split that a model has learned from. A run keeps a list of them, that of the model it began with
// first, and its checkpoints carry it.
type Trained struct {
	Split
	Stage    string  `json:"stage"` // "pretrain" or "finetune"
	Examples int     `json:"examples,omitempty"`
	Texts    *Sketch `json:"texts,omitempty"`    // of each example's pictures and text; nil where only the name is known
	Pictures *Sketch `json:"pictures,omitempty"` // of pictures
}

// NewTrained records a split, in at most 64 KB whatever the number of examples.
func NewTrained(stage string, split Split, examples iter.Seq[Example]) Trained {
	var texts, pictures sketcher
	n := 0
	for e := range examples {
		n++
		texts.add(e.hash())
		for _, picture := range e.Pictures {
			pictures.add(hashOf(picture))
		}
	}
	return Trained{Split: split, Stage: stage, Examples: n, Texts: texts.sketch(), Pictures: pictures.sketch()}
}

// hash takes upper and lower case and white space for the same, which LXMERT's files have changed.
func (e Example) hash() uint64 {
	return hashOf(append([]string{strings.ToLower(strings.Join(strings.Fields(e.Text), " "))}, e.Pictures...)...)
}

// Overlap says what an evaluated split has in common with one that the model has learned from.
type Overlap struct {
	Trained  Trained
	ByName   Shared // what the two splits are known to share
	Texts    Found  // examples with the same pictures and words
	Pictures Found
}

// Found counts what was looked for in a sketch: Checked is how many of the evaluated the sketch knows of, and In how many of these the model has
// learned from. Where the sketch is of more than 4,096, Checked is a random sample.
type Found struct{ In, Checked int }

func (f *Found) look(s *Sketch, hash uint64) {
	if s == nil || !s.sampled(hash) {
		return
	}
	f.Checked++
	if s.has(hash) {
		f.In++
	}
}

// share is 0..1.
func (f Found) share() float64 { return float64(f.In) / float64(max(f.Checked, 1)) }

// Overlaps compares the split to be evaluated with all that the model has learned from; what has nothing in common is left out. A score on a split whose
// questions overlap says little about questions that are new.
//
// Where the model has learned from many more examples than are evaluated, few of these are checked: of 100, one against the 443,757 questions of
// VQA's training. There the names must tell.
func Overlaps(trained []Trained, split Split, examples iter.Seq[Example]) []Overlap {
	all := make([]Overlap, len(trained))
	for i, t := range trained {
		all[i] = Overlap{Trained: t, ByName: sharedByName(split, t.Split)}
	}
	seen := map[string]bool{} // pictures
	for e := range examples {
		hash := e.hash()
		for i := range all {
			all[i].Texts.look(trained[i].Texts, hash)
		}
		for _, picture := range e.Pictures {
			if seen[picture] {
				continue
			}
			seen[picture] = true
			hash := hashOf(picture)
			for i := range all {
				all[i].Pictures.look(trained[i].Pictures, hash)
			}
		}
	}
	var overlaps []Overlap
	for _, o := range all {
		if o.ByName != SharesNothing || o.Texts.In > 0 || o.Pictures.In > 0 {
			overlaps = append(overlaps, o)
		}
	}
	return overlaps
}

// Questions reports whether questions themselves were learned, not only other questions about the same pictures.
func (o Overlap) Questions() bool { return o.Texts.In > 0 || o.ByName == SharesQuestions }

// String is the warning.
func (o Overlap) String() string {
	var found []string
	for _, f := range [...]struct {
		what string
		Found
	}{{"questions", o.Texts}, {"pictures", o.Pictures}} {
		if f.In > 0 {
			found = append(found, fmt.Sprintf("%.1f%% of the evaluated %s (%d of %d checked)", 100*f.share(), f.what, f.In, f.Checked))
		}
	}
	text := fmt.Sprintf("the model has learned from %s (%s)", o.Trained.Split, o.Trained.Stage)
	switch {
	case found != nil:
		text += ", which holds " + strings.Join(found, " and ")
	case o.ByName == SharesQuestions:
		text += ", which holds questions of this split"
	default:
		text += ", which is about pictures of this split"
	}
	if o.Questions() {
		return text + ": the score does not tell how it answers new questions"
	}
	return text + ": the score tells how it answers new questions about pictures it has seen"
}

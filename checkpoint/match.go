package checkpoint

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Want is one weight of a model: the name and shape it should have in a checkpoint.
type Want struct {
	Name  string
	Shape []int

	Optional bool // the model does without if the checkpoint has none
}

// Rules say how a checkpoint's names may differ from the model's. The zero Rules ask for
// the same names.
type Rules struct {
	// Prefix is the name of the base model within a model with heads, "lxmert". A
	// checkpoint of the base model (names without it) then fits a model with heads, and
	// the other way round.
	Prefix string

	// Tied maps a weight that is the same as another to that other. A checkpoint may hold
	// both, if they are equal, or either.
	Tied map[string]string

	// Heads are what the names of heads begin with that a checkpoint may hold beside the model's own, and Buffers how the names end of what is no weight at all.
	Heads, Buffers []string
}

// LXMERT are the rules of transformers' LXMERT classes.
func LXMERT() Rules {
	return Rules{
		Prefix: "lxmert",
		Tied:   map[string]string{"cls.predictions.decoder.weight": "lxmert.embeddings.word_embeddings.weight"},
		Heads:  []string{"cls.", "obj_predict_head.", answerHead, originalHead},
		// Old versions of PyTorch's classes kept the numbers 0, 1, 2, … with the weights.
		Buffers: []string{"embeddings.position_ids"},
	}
}

// Match finds each weight's tensor by the rules of transformers' from_pretrained:
//
//   - A LayerNorm's old names gamma and beta mean weight and bias.
//   - If the model has heads and the checkpoint none, the checkpoint's names get the
//     prefix; if it is the other way round, they lose it, and the heads are unexpected. A
//     checkpoint that has heads beside a base model without prefix is damaged.
//   - Of two tied weights one is enough; if both are there they must be equal.
//
// Tensors are compared by shape and type, not read (tied ones are, if both are there).
func Match(f *File, want []Want, rules Rules) *Report {
	m := newMatcher(f, want, rules)
	m.tie()
	r := &Report{file: f, rules: rules, found: map[string]string{}}
	for _, w := range want {
		r.wanted = append(r.wanted, w.Name)
		name, ok := m.have[w.Name]
		switch t, _ := f.Tensor(name); {
		case !ok && w.Optional:
		case !ok:
			r.Missing = append(r.Missing, Missing{Name: w.Name, Shape: w.Shape, Head: m.inHead(w.Name)})
		case !t.IsFloat() || !slices.Equal(t.Shape, w.Shape):
			r.Mismatched = append(r.Mismatched, Mismatch{Name: w.Name, File: f.FileOf(name), Found: t, Want: w.Shape})
		default:
			r.found[w.Name] = name
		}
		m.used[name] = ok || m.used[name]
	}
	for _, name := range f.names {
		if !m.used[name] {
			r.Unexpected = append(r.Unexpected, name)
		}
	}
	r.Conflicts = m.conflicts
	if len(r.found) == 0 && len(r.Mismatched) == 0 && len(r.Missing) > 0 {
		r.stranger = true
	}
	return r
}

// A matcher translates a checkpoint's names into the model's.
type matcher struct {
	file      *File
	rules     Rules
	want      map[string]bool
	modelBase bool              // some of the model's names have the prefix: it is a model with heads
	have      map[string]string // the model's name → the checkpoint's
	used      map[string]bool   // the checkpoint's names that have found their weight
	conflicts []error
}

func newMatcher(f *File, want []Want, rules Rules) *matcher {
	m := &matcher{file: f, rules: rules, want: map[string]bool{}, have: map[string]string{}, used: map[string]bool{}}
	for _, w := range want {
		if m.want[w.Name] {
			m.conflict("the model asks for %s twice", quote(w.Name))
		}
		m.want[w.Name] = true
		m.modelBase = m.modelBase || m.inBase(w.Name)
	}
	fileBase := slices.ContainsFunc(f.names, m.inBase)
	prefix := rules.Prefix + "."
	for _, name := range f.names {
		key := modern(name)
		switch {
		case m.modelBase && !fileBase: // a base checkpoint for a model with heads
			if m.want[key] && !m.want[prefix+key] {
				m.conflict("%s: tensor %s belongs to a head, but no name in the file begins with %q as the base model's must beside a head: the checkpoint was not saved properly",
					f.FileOf(name), quote(name), prefix)
				continue
			}
			key = prefix + key
		case fileBase && !m.modelBase: // a checkpoint with heads for the base model
			if !m.inBase(key) {
				continue
			}
			key = strings.TrimPrefix(key, prefix)
		}
		if other, ok := m.have[key]; ok {
			m.conflict("%s: tensors %s and %s are both %s", f.FileOf(name), quote(other), quote(name), quote(key))
			continue
		}
		m.have[key] = name
	}
	return m
}

// tie lets one of two tied tensors stand for both, where the model has the head to which
// the tie leads.
func (m *matcher) tie() {
	for _, name := range slices.Sorted(maps.Keys(m.rules.Tied)) {
		target := m.rules.Tied[name]
		if !m.hasPartOf(name) || !m.want[target] {
			continue
		}
		tied, hasTied := m.have[name]
		original, hasOriginal := m.have[target]
		switch {
		case hasTied && hasOriginal:
			m.compare(tied, original)
			m.used[tied] = true
			m.have[name] = original
		case hasTied:
			m.have[target] = tied
		case hasOriginal:
			m.have[name] = original
		}
	}
}

// compare makes sure that a file that holds a tied weight twice holds it once.
func (m *matcher) compare(tied, original string) {
	a, _ := m.file.Tensor(tied)
	b, _ := m.file.Tensor(original)
	equal := a.DType == b.DType && slices.Equal(a.Shape, b.Shape)
	if equal {
		err := a.read(func(x []byte) error {
			return b.read(func(y []byte) error {
				equal = bytes.Equal(x, y)
				return nil
			})
		})
		if err != nil {
			m.conflicts = append(m.conflicts, err)
		}
	}
	if !equal {
		m.conflict("%s: tensor %s differs from %s, want the same: the model has one weight for both; remove the one that is wrong",
			m.file.FileOf(tied), quote(tied), quote(original))
	}
}

func (m *matcher) conflict(format string, args ...any) {
	m.conflicts = append(m.conflicts, fmt.Errorf(format, args...))
}

// inBase says whether a name is one of the base model within a model with heads.
func (m *matcher) inBase(name string) bool {
	return m.rules.Prefix != "" && strings.HasPrefix(name, m.rules.Prefix+".")
}

// inHead says whether the weight is one of the model's heads.
func (m *matcher) inHead(name string) bool { return m.modelBase && !m.inBase(name) }

// hasPartOf says whether the model has anything of the head that name belongs to.
func (m *matcher) hasPartOf(name string) bool {
	head, _, _ := strings.Cut(name, ".")
	for w := range m.want {
		if strings.HasPrefix(w, head+".") {
			return true
		}
	}
	return false
}

// modern is the present name of what was called gamma or beta.
func modern(name string) string {
	if base, ok := strings.CutSuffix(name, ".gamma"); ok {
		return base + ".weight"
	}
	if base, ok := strings.CutSuffix(name, ".beta"); ok {
		return base + ".bias"
	}
	return name
}

package checkpoint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/internal/similar"
)

// A Report says how a checkpoint fits a model. transformers only warns about most of what
// can be wrong; here the caller decides, with Err, what is good enough.
type Report struct {
	Missing    []Missing  // weights that the checkpoint does not give, less the optional ones
	Unexpected []string   // tensors that the model has no use for, by their name in the checkpoint
	Mismatched []Mismatch // tensors that cannot be the weight whose name they have
	Conflicts  []error    // what no choice can mend: the checkpoint contradicts itself

	file     *File
	rules    Rules
	wanted   []string          // the model's names
	found    map[string]string // the model's name → the checkpoint's
	stranger bool              // nothing at all was found
}

// A Missing weight is one that the checkpoint does not give.
type Missing struct {
	Name  string
	Shape []int
	Head  bool // it belongs to a head, not to the base model
}

// A Mismatch is a tensor of another shape than the weight's, or not of floating-point
// numbers.
type Mismatch struct {
	Name  string // the model's name for it
	File  string // the safetensors file it is in
	Found Tensor // as the checkpoint has it
	Want  []int  // the weight's shape
}

// Allow is what a caller puts up with.
type Allow int

const (
	// AllowNewHeads lets a checkpoint lack weights of heads, as one of the base model does.
	AllowNewHeads Allow = iota + 1
	// AllowMissing lets it lack any weight, as transformers does.
	AllowMissing
	// AllowOtherHeads lets it hold heads that the model has no use for, and buffers.
	AllowOtherHeads
	// AllowUnexpected lets it hold any tensors that the model has no use for, as transformers does.
	AllowUnexpected
	// AllowMismatched treats mis-shaped tensors as missing and allows that, as
	// ignore_mismatched_sizes does.
	AllowMismatched
)

// Tensor is the tensor of a weight, by the model's name for it; its own Name is the
// checkpoint's. It is false for what is missing or mismatched.
func (r *Report) Tensor(name string) (Tensor, bool) {
	found, ok := r.found[name]
	if !ok {
		return Tensor{}, false
	}
	return r.file.Tensor(found)
}

// NewlyInitialised are the weights that the caller has to fill, in the model's order of
// asking, missing ones first: what to tell the user about if they were allowed.
func (r *Report) NewlyInitialised() []string {
	var out []string
	for _, m := range r.Missing {
		out = append(out, m.Name)
	}
	for _, m := range r.Mismatched {
		out = append(out, m.Name)
	}
	return out
}

// Err is nil if the checkpoint fits, but for what is allowed. Otherwise it has a line for
// each fault, with file, tensor, what was found and what was expected. A checkpoint that
// gives nothing at all is refused whatever is allowed.
func (r *Report) Err(allow ...Allow) error {
	path := r.file.Path()
	if r.stranger {
		return fmt.Errorf("%s: none of the %d weights is here, want names such as %s; found %s: this is a checkpoint of another model, or one with names of another library",
			path, len(r.Missing), quote(r.Missing[0].Name), listed(r.file.storedNames()))
	}
	errs := slices.Clone(r.Conflicts)
	for _, m := range r.Missing {
		switch {
		case slices.Contains(allow, AllowMissing), m.Head && slices.Contains(allow, AllowNewHeads):
		case m.Head:
			errs = append(errs, fmt.Errorf("%s: tensor %s %v is missing; take a checkpoint with this head, or have the head newly initialised and train it%s",
				path, m.Name, m.Shape, r.near(len(errs), m.Name, "; nearest to it among what is of no use here: ", r.Unexpected)))
		default:
			errs = append(errs, fmt.Errorf("%s: tensor %s %v is missing; the checkpoint is incomplete or its config asks for more layers than it has%s",
				path, m.Name, m.Shape, r.near(len(errs), m.Name, "; nearest to it among what is of no use here: ", r.Unexpected)))
		}
	}
	if !slices.Contains(allow, AllowMismatched) {
		for _, m := range r.Mismatched {
			errs = append(errs, m.err())
		}
	}
	for _, name := range r.Unexpected {
		if slices.Contains(allow, AllowUnexpected) || slices.Contains(allow, AllowOtherHeads) && r.harmless(name) {
			continue
		}
		t, _ := r.file.Tensor(name)
		errs = append(errs, fmt.Errorf("%s: tensor %s %v is unexpected; the model has no weight of this name%s",
			r.file.FileOf(name), quote(r.file.StoredName(name)), t.Shape, r.near(len(errs), name, ", the nearest is ", r.wanted)))
	}
	return joinUpTo(1000, errs) // every name of a real model; a bound for a hostile file
}

// harmless says whether a tensor without use is one of another head, or a buffer.
func (r *Report) harmless(name string) bool {
	return slices.ContainsFunc(r.rules.Heads, func(head string) bool { return strings.HasPrefix(name, head) }) ||
		slices.ContainsFunc(r.rules.Buffers, func(buffer string) bool { return strings.HasSuffix(name, buffer) })
}

// near says which of others is most like a name, in the first errors; "" if none is.
func (r *Report) near(errors int, name, text string, others []string) string {
	const (
		helped  = 20 // errors
		longest = 2000
	)
	if errors >= helped || len(others) > longest {
		return ""
	}
	search := similar.Among(name, max(3, len(name)/3))
	for _, other := range others {
		search.Consider(other, other)
	}
	if near := search.Nearest(1); near != nil {
		return text + quote(near[0])
	}
	return ""
}

func (m Mismatch) err() error {
	alias := ""
	if m.Found.Name != m.Name {
		alias = " for " + m.Name
	}
	if m.Found.DType == I8 && !m.Found.IsFloat() {
		return fmt.Errorf("%s: tensor %s is I8, quantised, but the checkpoint has no scales for it%s; want them as %s", m.File, quote(m.Found.Name), alias, quote(m.Found.Name+scaleSuffix))
	}
	if !m.Found.IsFloat() {
		return fmt.Errorf("%s: tensor %s is %s, want floating-point numbers%s", m.File, quote(m.Found.Name), m.Found.DType, alias)
	}
	return fmt.Errorf("%s: tensor %s is %v, want %v%s; use the config that the checkpoint came with", m.File, quote(m.Found.Name), m.Found.Shape, m.Want, alias)
}

func listed(names []string) string {
	if len(names) == 0 {
		return "no tensors"
	}
	return some(slices.Clone(names))
}

package predict

import (
	"context"
	"errors"
	"iter"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
)

// present gives the indices of the questions whose pictures are there, so that a picture that is missing is found before hours of work, not after.
func present(features data.Source, qs []questions.Question, bad func(*QuestionError)) ([]int, error) {
	missing := map[string]bool{}
	for i := range qs {
		for _, id := range picturesOf(&qs[i]) {
			missing[id] = true
		}
	}
	for _, id := range features.IDs() {
		delete(missing, id)
	}
	reasons := map[string]error{} // of a picture, and asked for once: to find ids that may be meant takes a look at all
	reason := func(id string) error {
		if err, ok := reasons[id]; ok {
			return err
		}
		_, err := features.Get(id)
		if err == nil { // it has been added meanwhile
			delete(missing, id)
		}
		reasons[id] = err
		return err
	}
	have := make([]int, 0, len(qs))
	var faults faults
	for i := range qs {
		var errs []error
		for _, id := range picturesOf(&qs[i]) {
			if missing[id] {
				errs = append(errs, reason(id))
			}
		}
		if err := errors.Join(errs...); err != nil {
			faults.add(badQuestion(&qs[i], err))
		} else {
			have = append(have, i)
		}
	}
	return have, faults.report(bad)
}

// picturesOf are the ids of the one picture, or of both.
func picturesOf(q *questions.Question) []string {
	if q.Second == "" {
		return []string{q.Image}
	}
	return []string{q.Image, q.Second}
}

// inBatches cuts the questions at these indices into batches of n at most. Questions about the same picture follow each other, in the order in
// which pictures come first, and are in one batch unless there are more than n.
func inBatches(qs []questions.Question, indices []int, n int) iter.Seq[[]int] {
	type pictures struct{ first, second string }
	about := map[pictures][]int{}
	var order []pictures
	for _, i := range indices {
		p := pictures{qs[i].Image, qs[i].Second}
		if about[p] == nil {
			order = append(order, p)
		}
		about[p] = append(about[p], i)
	}
	return func(yield func([]int) bool) {
		var batch []int
		for _, p := range order {
			own := about[p]
			if len(batch)+len(own) > n && len(own) <= n && len(batch) > 0 {
				if !yield(batch) {
					return
				}
				batch = nil
			}
			for len(own) > 0 {
				take := min(n-len(batch), len(own))
				batch, own = append(batch, own[:take]...), own[take:]
				if len(batch) == n {
					if !yield(batch) {
						return
					}
					batch = nil
				}
			}
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

// loaded is a question with its regions, or what is wrong with them.
type loaded struct {
	asked
	err error
}

// reading reads the pictures of one batch after another. It keeps those of the last, for a picture that goes on in the next.
type reading struct {
	features data.Source
	last     map[string]picture
}

type picture struct {
	regions lxmert.Regions
	err     error
}

// batch reads the pictures of the questions at these indices, each once; what it lacks when ctx ends nobody looks at.
func (r *reading) batch(ctx context.Context, qs []questions.Question, indices []int) []loaded {
	now := map[string]picture{}
	get := func(id string) (lxmert.Regions, error) {
		p, ok := now[id]
		if !ok {
			if p, ok = r.last[id]; !ok && ctx.Err() == nil {
				p.regions, p.err = r.features.Get(id)
			}
			now[id] = p
		}
		return p.regions, p.err
	}
	batch := make([]loaded, len(indices))
	for k, i := range indices {
		q := &qs[i]
		var errs [2]error
		batch[k].asked = asked{Question: q, index: i}
		batch[k].picture, errs[0] = get(q.Image)
		if q.Second != "" {
			batch[k].second, errs[1] = get(q.Second)
		}
		batch[k].err = errors.Join(errs[:]...)
	}
	r.last = now
	return batch
}

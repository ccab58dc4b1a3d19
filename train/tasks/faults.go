package tasks

import (
	"errors"
	"fmt"

	"github.com/go-lxmert/lxmert/data/questions"
)

// faults gathers what is wrong with examples.
type faults struct {
	first []error
	count int
}

// mostFaults is how many an error tells.
const mostFaults = 10

// sift passes on the questions that are good. bad hears of the others; if it is nil they become the error.
func (f *faults) sift(qs []questions.Question, bad func(error), check func(*questions.Question) error) []questions.Question {
	good := make([]questions.Question, 0, len(qs))
	for i := range qs {
		err := check(&qs[i])
		if err == nil {
			good = append(good, qs[i])
			continue
		}
		err = fmt.Errorf("%s: %w", describe(&qs[i]), err)
		if bad != nil {
			bad(err)
			continue
		}
		if f.count++; f.count <= mostFaults {
			f.first = append(f.first, err)
		}
	}
	return good
}

func (f *faults) err() error {
	if more := f.count - len(f.first); more > 0 {
		return errors.Join(append(f.first, fmt.Errorf("and %d more", more))...)
	}
	return errors.Join(f.first...)
}

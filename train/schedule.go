package train

import (
	"fmt"
	"math"
)

// Schedule is how the learning rate changes in the course of a training: it rises in a straight line from 0 for the first share Warmup of
// Steps, so that the first step changes nothing, and then takes its course.
type Schedule struct {
	Course Course
	Rate   float64 // the highest
	Warmup float64 // share of Steps, 0..1; 0: none
	Steps  int     // of the whole training
}

// Course is what the learning rate does after the warm-up.
type Course string

// The courses, under the names that the command uses.
const (
	Linear   Course = "linear"   // falls in a straight line to 0, as in the original
	Constant Course = "constant" // stays
	Cosine   Course = "cosine"   // falls to 0 as half a wave of the cosine does
)

// Check says what is out of range.
func (s Schedule) Check() error {
	switch {
	case s.Course != Linear && s.Course != Constant && s.Course != Cosine:
		return fmt.Errorf("found schedule %q, want %s, %s or %s", s.Course, Linear, Constant, Cosine)
	case !(s.Rate >= 0) || math.IsInf(s.Rate, 1):
		return fmt.Errorf("found a learning rate of %v, want 0 or more", s.Rate)
	case !(s.Warmup >= 0 && s.Warmup < 1):
		return fmt.Errorf("found a warm-up of %v, want a share of the steps, from 0 to less than 1", s.Warmup)
	case s.Steps < 1:
		return fmt.Errorf("found %d steps, want 1 or more", s.Steps)
	}
	return nil
}

// At is the learning rate of a step, from 1.
func (s Schedule) At(step int) float64 {
	done := float64(step-1) / float64(s.Steps)
	switch {
	case done < s.Warmup:
		return s.Rate * done / s.Warmup
	case s.Course == Constant:
		return s.Rate
	}
	left := max(0, (1-done)/(1-s.Warmup))
	if s.Course == Cosine {
		left = 0.5 * (1 - math.Cos(math.Pi*left))
	}
	return s.Rate * left
}

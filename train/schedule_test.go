package train_test

import (
	"math"
	"testing"

	"github.com/go-lxmert/lxmert/train"
)

// TestSchedule compares each course with what it should be, step by step.
func TestSchedule(t *testing.T) {
	wave := func(share float64) float64 { return 0.5 + 0.5*math.Cos(math.Pi*share) }
	for name, c := range map[string]struct {
		schedule train.Schedule
		want     []float64 // of steps 1, 2, …, as shares of the highest rate
	}{
		"linear":             {train.Schedule{Course: train.Linear, Warmup: 0.2, Steps: 10}, []float64{0, .5, 1, .875, .75, .625, .5, .375, .25, .125, 0, 0}},
		"constant":           {train.Schedule{Course: train.Constant, Warmup: 0.2, Steps: 10}, []float64{0, .5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
		"cosine":             {train.Schedule{Course: train.Cosine, Warmup: 0.2, Steps: 10}, []float64{0, .5, 1, wave(.125), wave(.25), wave(.375), .5, wave(.625), wave(.75), wave(.875), 0, 0}},
		"linear, no warm-up": {train.Schedule{Course: train.Linear, Steps: 4}, []float64{1, .75, .5, .25, 0}},
		"cosine, no warm-up": {train.Schedule{Course: train.Cosine, Steps: 2}, []float64{1, .5, 0}},
		"constant, at once":  {train.Schedule{Course: train.Constant, Steps: 1}, []float64{1, 1}},
		"a step of warm-up":  {train.Schedule{Course: train.Linear, Warmup: 0.5, Steps: 2}, []float64{0, 1, 0}},
	} {
		c.schedule.Rate = 3e-4
		if err := c.schedule.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, want := range c.want {
			if got := c.schedule.At(i + 1); !(math.Abs(got-3e-4*want) <= 1e-18) {
				t.Errorf("%s: step %d: %v, want %v", name, i+1, got, 3e-4*want)
			}
		}
	}
	if err := (train.Schedule{Course: train.Linear}).Check(); err == nil {
		t.Error("no steps: no error")
	}
}

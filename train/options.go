package train

import (
	"errors"
	"fmt"
	"time"
)

// Options are how a model is trained. What they do not say, such as data and dropout, is the task's and the model's.
type Options struct {
	Out     string // the run's directory
	Claimed bool   // whoever calls has claimed it ([Claim])

	Batch int // examples a step; what is left over at an epoch's end is left out, as in the original
	// Accumulate is the number of parts of a batch that go through the model one after the other, to save memory, or on different ranks, which
	// must divide it: 4 parts on 1, 2 or 4 ranks teach the same but for rounding. Chance falls otherwise with another number. 0: one for each device
	// of each rank.
	Accumulate int
	Epochs     int
	MaxSteps   int // where the run ends before its time; the schedule does not know of it. 0: it does not

	Optimizer Optimizer
	Course    Course  // see [Schedule]
	Rate      float64 // the highest learning rate
	Warmup    float64 // share of all steps
	Clip      float64 // the largest norm of all gradients together; 0: any

	Seed      uint64
	NoShuffle bool // examples in the order of the data
	Patience  int  // validations without a better one after which the run ends; 0: it does not

	LogEvery     int           // steps a line of the log; 0: 1
	SaveSteps    int           // steps between checkpoints; 0: only after epochs, and by time
	SaveInterval time.Duration // time between checkpoints; 0: only after epochs, and by steps
	Keep         int           // how many checkpoints stay, the last one included; 0: 1

	Watch Watcher // who is told how it goes; nil: nobody

	Devices        int     // of the model's engine, among which a rank divides its parts; 0: 1
	Ranks          Reducer // who else computes parts of each step; nil: nobody
	ReduceBFloat16 bool    // gradients go from rank to rank in half as many bytes, rounded to 8 bits
}

// A Watcher is told how a run goes. It is called by the goroutine that trains, which waits for it.
type Watcher interface {
	Step(record StepRecord, examples int)
	Epoch(record EpochRecord)
	Saved(dir string, step int)
}

// check fills in defaults and says what is out of range; n is the number of examples.
func (o *Options) check(n int) error {
	switch {
	case o.Accumulate < 0 || o.LogEvery < 0 || o.Keep < 0:
		return fmt.Errorf("found %d parts of a batch, a log line every %d steps and %d checkpoints, want none below 0", o.Accumulate, o.LogEvery, o.Keep)
	case o.Out == "":
		return errors.New("a run wants a directory")
	case o.Optimizer == nil:
		return errors.New("a run wants an optimiser")
	case n < 1:
		return errors.New("there are no examples to learn from")
	case o.Batch < 1 || o.Epochs < 1:
		return fmt.Errorf("found batches of %d and %d epochs, want 1 or more", o.Batch, o.Epochs)
	case o.MaxSteps < 0 || o.Patience < 0 || o.SaveSteps < 0 || o.SaveInterval < 0:
		return errors.New("steps, patience and intervals cannot be below 0")
	case !(o.Clip >= 0):
		return fmt.Errorf("found a clip of %v, want 0 or more", o.Clip)
	}
	o.Ranks, o.Devices = orAlone(o.Ranks), max(o.Devices, 1)
	if o.Accumulate == 0 {
		o.Accumulate = o.Ranks.Size() * o.Devices
	}
	o.LogEvery, o.Keep = max(o.LogEvery, 1), max(o.Keep, 1)
	o.Batch = min(o.Batch, n)
	if o.Batch%o.Accumulate != 0 {
		return fmt.Errorf("a batch of %d cannot be divided into %d equal parts", o.Batch, o.Accumulate)
	}
	if err := divisible(o.Ranks, o.Devices, o.Accumulate); err != nil {
		return err
	}
	return o.schedule(n).Check()
}

// schedule is the learning rate's, over all epochs.
func (o *Options) schedule(n int) Schedule {
	return Schedule{Course: o.Course, Rate: o.Rate, Warmup: o.Warmup, Steps: n / o.Batch * o.Epochs}
}

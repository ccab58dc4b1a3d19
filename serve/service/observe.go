package service

import "time"

// An Observer hears of what happens inside, for metrics. Its methods are called by many goroutines, and must not block.
type Observer interface {
	// Stage is how long a part of a request took: decode, regions, explain, embed and the like; of a Faster R-CNN every stage of it.
	Stage(stage string, took time.Duration)
	// Batch is a forward pass for so many questions.
	Batch(model, version string, questions int, took time.Duration)
	// Inference is a request's questions that were answered, or refused.
	Inference(model, version string, i Inference)
	// Loaded is that models were loaded: all that there are now.
	Loaded(cards []Card)
}

// An Inference is what the questions of one request took. Durations overlap with those of others, where they went in one pass.
type Inference struct {
	Questions int
	Err       error         // nil, or why there is no answer
	Total     time.Duration // from the questions' arrival to their answers
	Queue     time.Duration // waiting for a pass, the longest of them
	Compute   time.Duration // the pass, the longest of them
}

// nobody listens.
type nobody struct{}

func (nobody) Stage(string, time.Duration)              {}
func (nobody) Batch(string, string, int, time.Duration) {}
func (nobody) Inference(string, string, Inference)      {}
func (nobody) Loaded([]Card)                            {}

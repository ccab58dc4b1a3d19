package main

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlay holds outcomes to what can be worked out by hand.
func TestPlay(t *testing.T) {
	plain := job{pictures: 1000, part: 10, machines: 4, picture: 2, start: 5, overhead: 1}
	for name, c := range map[string]struct {
		change  func(*job)
		seconds float64
	}{
		"25 parts of 21 s each":                 {func(*job) {}, 5 + 25*21},
		"the same, each its own":                {func(j *job) { j.fixed = true }, 5 + 25*21},
		"one machine":                           {func(j *job) { j.machines = 1 }, 5 + 100*21},
		"more machines than parts":              {func(j *job) { j.machines = 400 }, 5 + 21},
		"a part that is not full costs as much": {func(j *job) { j.pictures = 991 }, 5 + 25*21},
	} {
		j := plain
		c.change(&j)
		if got := j.play(1); math.Abs(got.seconds-c.seconds) > 1e-6 || got.repeated != 0 {
			t.Errorf("%s: %v s, %v repeated, want %v s, none", name, got.seconds, got.repeated, c.seconds)
		}
	}
}

// TestFailures: with failures there is more to do, and the same seed plays the same.
func TestFailures(t *testing.T) {
	j := job{pictures: 1e5, part: 100, machines: 50, picture: 2, spread: 0.2, start: 5, overhead: 1, uneven: 0.1}
	never := j.play(3)
	j.failures = 1
	often := j.play(3)
	if often.seconds <= never.seconds || often.repeated < 0.01 || often.efficiency >= never.efficiency {
		t.Errorf("with a failure an hour %+v, without %+v", often, never)
	}
	if again := j.play(3); again != often {
		t.Errorf("the same seed: %+v, then %+v", often, again)
	}
	j.fixed = true
	if own := j.play(3); own.seconds <= often.seconds {
		t.Errorf("parts of one's own took %v s, parts for whoever is free %v s", own.seconds, often.seconds)
	}
}

// TestTraining holds steps to what can be worked out by hand.
func TestTraining(t *testing.T) {
	what := training{Weights: 100e6, Examples: 8, Step: 1, Update: 0.2, Spread: 1e-9, Copy: 0.1, Checkpoint: 4, Restart: 10}
	net := network{"", 1e9, 1e-3}
	// 400 MB in 16 buckets; four ranks send 3/4 of it twice, in 6 messages a bucket.
	if got, want := net.allReduce(4, 400e6), 0.6+6*16*1e-3; math.Abs(got-want) > 1e-9 {
		t.Errorf("an all-reduce of 4 takes %v s, want %v", got, want)
	}
	c := course{batch: 32, ranks: 4, network: net, bytes: 4, interval: 100}
	step, reduce := c.mean(what)
	if want := 0.8 + 0.2 + 0.1 + 0.696; math.Abs(step-want) > 1e-6 || math.Abs(reduce-0.796) > 1e-6 {
		t.Errorf("a step takes %v s, %v of them for the all-reduce, want %v and 0.796", step, reduce, want)
	}
	c.ranks = 1
	// 3.4 s a step, a checkpoint after every 30.
	if got, want := c.seconds(what, 90), 10+90*3.4+3*4; math.Abs(got-want) > 1e-6 {
		t.Errorf("90 steps take %v s, want %v", got, want)
	}
	c.failures = 0.05
	if got := c.seconds(what, 90); got <= 10+90*3.4+3*4 {
		t.Errorf("with failures 90 steps take %v s, no longer than without", got)
	}
}

// TestMeasured reads the committed figures, and refuses what is missing or senseless.
func TestMeasured(t *testing.T) {
	const file = "../measured/scale.json"
	if _, err := readMeasured(file); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for old, c := range map[string]struct{ now, want string }{
		`"Cores": 2`:                {`"Cores": 0`, "Cores"},
		`"Start"`:                   {`"Begin"`, "Begin"},
		`"DType": "int8", "Spread"`: {`"DType": "int4", "Spread"`, "int4"},
	} {
		bad := strings.Replace(string(good), old, c.now, 1)
		if bad == string(good) {
			t.Fatalf("%s is not in %s", old, file)
		}
		at := filepath.Join(t.TempDir(), "bad.json")
		if err := os.WriteFile(at, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readMeasured(at); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.now, err, c.want)
		}
	}
}

// TestReplaced puts tables where their marks are.
func TestReplaced(t *testing.T) {
	text := []byte("a\n<!-- t -->\nold\n<!-- end of t -->\nb\n")
	for range 2 { // it may be done again
		var err error
		if text, err = replaced(text, "t", func(w io.Writer) { w.Write([]byte("new\n")) }); err != nil {
			t.Fatal(err)
		}
	}
	if string(text) != "a\n<!-- t -->\n\nnew\n\n<!-- end of t -->\nb\n" {
		t.Errorf("found %q", text)
	}
	if _, err := replaced(text, "u", nil); err == nil {
		t.Error("a table without a place was put somewhere")
	}
}

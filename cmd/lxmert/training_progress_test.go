package main

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-lxmert/lxmert/train"
)

// A clock is time that passes when it is told to.
type clock struct{ time.Time }

func (c *clock) now() time.Time       { return c.Time }
func (c *clock) pass(d time.Duration) { c.Time = c.Add(d) }

func stepOf(step, stepsPerEpoch int) train.StepRecord {
	return train.StepRecord{Step: step, Epoch: (step-1)/stepsPerEpoch + 1, Loss: 2, Losses: map[string]float64{"words": 1.5, "attributes": 0.5}, Seconds: 0.1}
}

// TestTrainingProgressLive: the line says where the run is, is drawn a few times a second, and is never wider than the terminal.
func TestTrainingProgressLive(t *testing.T) {
	for width := 1; width < 200; width++ {
		var out strings.Builder
		time := &clock{time.Unix(1000, 0)}
		p := newTrainingProgressOn(&liveLine{out: &out, width: func() int { return width }}, 5000, 4, 1250, 1, time.now)
		draw := func(from, to int) []string {
			out.Reset()
			for step := from; step <= to; step++ {
				time.pass(100 * 1e6)
				p.step(stepOf(step, 1250), 32)
			}
			return strings.Split(out.String(), "\r\x1b[K")[1:]
		}
		if start := strings.TrimPrefix(out.String(), "\r\x1b[K"); !strings.HasPrefix("epoch 1/4 ──────────────────── step 0/5,000", start) && width > 60 {
			t.Errorf("before the first step: %q", start)
		}
		lines := draw(1, 1250)
		if len(lines) != 625 {
			t.Fatalf("%d lines were drawn in 125 seconds", len(lines))
		}
		p.epoch(train.EpochRecord{Epoch: 1, Step: 1250, TrainLoss: new(1.1), ValidScore: new(0.52), Seconds: 312.5})
		lines = append(lines, draw(1251, 1300)...)
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); n > max(1, width-1) || strings.ContainsRune(line, '\n') {
				t.Fatalf("width %d: %d columns: %q", width, n, line)
			}
		}
		last := lines[len(lines)-1]
		for _, test := range []struct {
			from, to int
			want     string
		}{
			{135, 200, "epoch 2/4 ──────────────────── step 1,300/5,000, loss 2.000 (attributes 0.50 words 1.50), valid 0.520, 320 examples/s, 6m10s left"},
			{122, 124, "(att 0.50 wor 1.50)"},
			{102, 120, "──────────────────── step 1,300/5,000, loss 2.000, valid 0.520"},
			{65, 200, "6m10s left"}, {40, 200, "loss 2.000"}, {30, 200, "step 1,300/5,000"}, {20, 200, "epoch 2/4 "},
		} {
			if width >= test.from && width <= test.to && !strings.Contains(last, test.want) {
				t.Errorf("width %d: %q is not in %q", width, test.want, last)
			}
		}
	}
}

// TestTrainingProgressStays: epochs, messages and the last step stay on a terminal, in their order; what was overwritten does not.
func TestTrainingProgressStays(t *testing.T) {
	var out strings.Builder
	time := &clock{time.Unix(1000, 0)}
	p := newTrainingProgressOn(&liveLine{out: &out, width: func() int { return 60 }}, 20, 2, 10, 1, time.now)
	for step := 1; step <= 20; step++ {
		time.pass(1e9)
		p.step(stepOf(step, 10), 8)
		if step%10 == 0 {
			p.epoch(train.EpochRecord{Epoch: step / 10, Step: step, TrainScore: new(0.4), ValidScore: new(0.5 - float64(step)/100), Seconds: 3725})
			p.message(fmt.Sprintf("saved run/%d\x1b[2J", step))
		}
	}
	p.end()
	want := `epoch 1/2, train score 0.400, valid score 0.400, 1h02m
saved run/10\x1b[2J
epoch 2/2, train score 0.400, valid score 0.300 (best: 0.400 in epoch 1), 1h02m
saved run/20\x1b[2J
epoch 2/2 step 20/20, loss 2.000, valid 0.300
`
	if got := screen(out.String()); got != want {
		t.Errorf("on the screen is\n%s\nwant\n%s", got, want)
	}
}

// screen is what is left of an output of lines that are overwritten whole.
func screen(out string) string {
	return regexp.MustCompile(`[^\n]*\r\x1b\[K`).ReplaceAllString(out, "")
}

// TestTrainingProgressPlain: where nobody looks there is a line in 30 seconds at most, one for each epoch and the messages.
func TestTrainingProgressPlain(t *testing.T) {
	var out strings.Builder
	time := &clock{time.Unix(1000, 0)}
	p := newTrainingProgress(&out, 200, 2, 100, 101, time.now) // an earlier run made the first epoch
	for step := 101; step <= 200; step++ {
		time.pass(1e9)
		s := stepOf(step, 100)
		if step < 110 {
			s.Loss = math.NaN()
		}
		p.step(s, 8)
	}
	p.epoch(train.EpochRecord{Epoch: 2, Step: 200, TrainLoss: new(1.25), ValidLoss: new(math.NaN()), Seconds: 100})
	p.message("saved run/last")
	p.end()
	want := `epoch 2/2 step 130/200, loss 2.000 (attributes 0.50 words 1.50), 80 examples/s, 1m10s left
epoch 2/2 step 160/200, loss 2.000 (attributes 0.50 words 1.50), 80 examples/s, 40s left
epoch 2/2 step 190/200, loss 2.000 (attributes 0.50 words 1.50), 80 examples/s, 10s left
epoch 2/2, loss 1.250, valid loss NaN, 1m40s
saved run/last
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestTrainingProgressNaN: a loss that is not a number is shown at once, and does not hide those that follow.
func TestTrainingProgressNaN(t *testing.T) {
	var a average
	for _, v := range []float64{1, 1, math.NaN()} {
		a.add(v)
	}
	if !math.IsNaN(a.value()) {
		t.Errorf("after NaN the average is %v", a.value())
	}
	a.add(3)
	if a.value() != 3 {
		t.Errorf("after NaN and 3 the average is %v", a.value())
	}
	a = average{}
	for i := range 1000 {
		a.add(float64(i / 500))
	}
	if v := a.value(); !(v > 0.999 && v <= 1) {
		t.Errorf("500 values after it changed from 0 to 1 the average is %v", v)
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", 59600 * time.Millisecond: "1m00s", 45 * time.Second: "45s", 754 * time.Second: "12m34s", 18420 * time.Second: "5h07m",
		51*time.Hour + 59*time.Minute: "2d03h"} {
		if got := short(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

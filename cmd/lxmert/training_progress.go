package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-lxmert/lxmert/train"
)

// plainEvery is how often a training run says where it is, if nobody looks.
const plainEvery = 30 * time.Second

// A trainingProgress shows how a training run is going: on a terminal a line that changes, elsewhere a line now and then; in both a
// line for each epoch. It is not safe for concurrent use.
type trainingProgress struct {
	line *liveLine
	now  func() time.Time

	totalSteps, epochs, stepsPerEpoch int

	last     train.StepRecord
	loss     average
	losses   map[string]*average
	examples average // a step
	seconds  average // a step

	first     int       // the first step that was seen
	firstSeen time.Time // when it was over: what comes before (graphs are compiled) says nothing about the rest
	said      time.Time

	valid, best float64 // the last epoch's score and the best one's; NaN if there is none
	bestEpoch   int
}

// newTrainingProgress shows a run of totalSteps in so many epochs of stepsPerEpoch, of which firstStep is the first that is made now: 1, or more
// where an earlier run is continued.
func newTrainingProgress(out io.Writer, totalSteps, epochs, stepsPerEpoch, firstStep int, now func() time.Time) *trainingProgress {
	return newTrainingProgressOn(newLiveLine(out), totalSteps, epochs, stepsPerEpoch, firstStep, now)
}

func newTrainingProgressOn(line *liveLine, totalSteps, epochs, stepsPerEpoch, firstStep int, now func() time.Time) *trainingProgress {
	p := &trainingProgress{line: line, now: now, totalSteps: totalSteps, epochs: epochs, stepsPerEpoch: max(1, stepsPerEpoch),
		losses: map[string]*average{}, said: now(), valid: math.NaN(), best: math.NaN()}
	p.last.Step = firstStep - 1
	p.last.Epoch = min((firstStep-1)/p.stepsPerEpoch+1, epochs)
	if line.live() { // the first step takes long
		line.draw(now(), p.text(now(), line.room()))
	}
	return p
}

// step takes note of a training step on so many examples.
func (p *trainingProgress) step(s train.StepRecord, examples int) {
	now := p.now()
	if p.firstSeen.IsZero() {
		p.first, p.firstSeen = s.Step, now
	}
	p.last = s
	p.loss.add(s.Loss)
	for task, v := range s.Losses {
		if p.losses[task] == nil {
			p.losses[task] = &average{}
		}
		p.losses[task].add(v)
	}
	p.examples.add(float64(examples))
	p.seconds.add(s.Seconds)
	switch {
	case p.line.live():
		if p.line.due(now) || s.Step == p.totalSteps {
			p.line.draw(now, p.text(now, p.line.room()))
		}
	case now.Sub(p.said) >= plainEvery:
		p.said = now
		p.line.say(p.text(now, math.MaxInt))
	}
}

// epoch writes the line that stays.
func (p *trainingProgress) epoch(e train.EpochRecord) {
	parts := []string{fmt.Sprintf("epoch %d/%d", e.Epoch, p.epochs)}
	for _, figure := range []struct {
		name  string
		value *float64
	}{{"loss", e.TrainLoss}, {"valid loss", e.ValidLoss}, {"train score", e.TrainScore}, {"valid score", e.ValidScore}} {
		if figure.value != nil {
			parts = append(parts, fmt.Sprintf("%s %.3f", figure.name, *figure.value))
		}
	}
	if e.ValidScore != nil {
		p.valid = *e.ValidScore
		switch {
		case math.IsNaN(p.best):
			p.best, p.bestEpoch = p.valid, e.Epoch
		case p.valid > p.best:
			p.best, p.bestEpoch = p.valid, e.Epoch
			parts[len(parts)-1] += " (best so far)"
		default:
			parts[len(parts)-1] += fmt.Sprintf(" (best: %.3f in epoch %d)", p.best, p.bestEpoch)
		}
	}
	p.said = p.now()
	p.line.say(strings.Join(append(parts, short(time.Duration(e.Seconds*float64(time.Second)))), ", "))
}

// message writes a line that stays.
func (p *trainingProgress) message(text string) { p.line.say(plain(text)) }

// end leaves what is said.
func (p *trainingProgress) end() {
	if p.line.live() && !p.firstSeen.IsZero() {
		p.line.draw(p.now(), p.text(p.now(), p.line.room())) // with the last step
	}
	p.line.leave()
}

// text is where the run is, in no more columns than there are: what matters least goes first.
func (p *trainingProgress) text(now time.Time, columns int) string {
	for _, shown := range []detail{
		{bar: 20, letters: 99, valid: true, rate: true, left: true},
		{bar: 20, letters: 5, valid: true, rate: true, left: true},
		{bar: 20, letters: 3, valid: true, rate: true, left: true},
		{bar: 20, valid: true, rate: true, left: true},
		{bar: 8, valid: true, rate: true, left: true},
		{valid: true, rate: true, left: true},
		{valid: true, left: true},
		{left: true},
	} {
		if !p.line.live() {
			shown.bar = 0
		}
		if text := p.with(shown, now); utf8.RuneCountInString(text) <= columns {
			return text
		}
	}
	return p.with(detail{}, now)
}

// A detail is what to say.
type detail struct {
	bar               int // columns
	letters           int // of a task's name
	valid, rate, left bool
}

func (p *trainingProgress) with(shown detail, now time.Time) string {
	text := fmt.Sprintf("epoch %d/%d ", p.last.Epoch, p.epochs)
	if shown.bar > 0 {
		inEpoch := p.last.Step - (p.last.Epoch-1)*p.stepsPerEpoch
		text += bar(float64(inEpoch)/float64(p.stepsPerEpoch), shown.bar) + " "
	}
	text += fmt.Sprintf("step %s/%s", grouped(p.last.Step), grouped(p.totalSteps))
	if p.firstSeen.IsZero() {
		return text
	}
	text += fmt.Sprintf(", loss %.3f", p.loss.value())
	if shown.letters > 0 && len(p.losses) > 1 {
		var tasks []string
		for _, task := range slices.Sorted(maps.Keys(p.losses)) {
			tasks = append(tasks, fmt.Sprintf("%s %.2f", cut(task, shown.letters), p.losses[task].value()))
		}
		text += " (" + strings.Join(tasks, " ") + ")"
	}
	if shown.valid && !math.IsNaN(p.valid) {
		text += fmt.Sprintf(", valid %.3f", p.valid)
	}
	if rate := p.examples.value() / p.seconds.value(); shown.rate && rate > 0 && !math.IsInf(rate, 0) {
		text += fmt.Sprintf(", %s examples/s", rounded(rate))
	}
	if done := p.last.Step - p.first; shown.left && done > 0 && p.last.Step < p.totalSteps {
		left := float64(now.Sub(p.firstSeen)) / float64(done) * float64(p.totalSteps-p.last.Step)
		if left < math.MaxInt64 {
			text += ", " + short(time.Duration(left)) + " left"
		}
	}
	return text
}

// bar shows a share of an epoch.
func bar(share float64, columns int) string {
	full := int(max(0, min(1, share)) * float64(columns))
	return strings.Repeat("━", full) + strings.Repeat("─", columns-full)
}

// rounded has two digits or more.
func rounded(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.1f", v)
	}
	return grouped(int(math.Round(v)))
}

// An average follows what it is given; a value weighs half of the newest after 35 others.
type average struct{ sum, weight float64 }

func (a *average) add(v float64) {
	const kept = 0.98
	if math.IsNaN(a.sum) || math.IsInf(a.sum, 0) { // it was not finite, which has been shown
		*a = average{}
	}
	a.sum = kept*a.sum + v
	a.weight = kept*a.weight + 1
}

func (a *average) value() float64 { return a.sum / a.weight }

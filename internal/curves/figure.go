package curves

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-lxmert/lxmert/internal/typeface"
)

// The picture's measures, in pixels.
const (
	width      = 1200
	margin     = 28.0
	gap        = 30.0 // between panels
	legendLine = 24.0
	large      = 330.0 // height of the first row
	small      = 230.0 // height of the others
	otherFonts = 1.15  // how much wider an SVG's letters may be where there are no Go fonts
)

// A figure is a picture of runs.
type figure struct {
	runs   []*Run
	smooth float64 // steps that are averaged; 0 is a fiftieth of each run
	fonts  *typeface.Faces
	last   float64 // the last step of any run
}

// WritePNG draws runs as a PNG. smooth is how many steps the strong curves are means of; 0 is a fiftieth of each run, 1 means
// none.
func WritePNG(w io.Writer, runs []*Run, smooth int) error { return write(w, runs, smooth, false) }

// WriteSVG is WritePNG as an SVG.
func WriteSVG(w io.Writer, runs []*Run, smooth int) error { return write(w, runs, smooth, true) }

func write(w io.Writer, runs []*Run, smooth int, asSVG bool) error {
	if len(runs) == 0 || len(runs) > MaxRuns || smooth < 0 {
		return fmt.Errorf("%d runs, means of %d steps: want 1 to %d runs, and 0 steps or more", len(runs), smooth, MaxRuns)
	}
	f := &figure{runs: runs, smooth: float64(smooth)}
	for _, r := range runs {
		f.last = max(f.last, float64(r.Steps))
	}
	if f.last == 0 {
		return errors.New("there is no step to draw yet")
	}
	var err error
	if f.fonts, err = typeface.New(); err != nil {
		return err
	}
	panels, height := f.panels()
	draw := func(c canvas) {
		f.legend(c)
		for _, p := range panels {
			p.draw(c)
		}
		f.notes(c, height-margin/2-2)
	}
	if asSVG {
		names := make([]string, len(runs))
		for i, r := range runs {
			names[i] = r.Name
		}
		return writeSVG(w, "Training curves of "+strings.Join(names, ", "), height, draw)
	}
	return writePNG(w, f.fonts, height, draw)
}

// window is how many steps of a run are averaged.
func (f *figure) window(r *Run) float64 {
	if f.smooth > 0 {
		return f.smooth
	}
	return max(1, math.Round(float64(r.Steps)/50))
}

// panels are those that have something to show, in rows: the loss and the score, then the others in twos and threes.
func (f *figure) panels() (panels []*panel, height float64) {
	var first, rest []*panel
	first = appendPanel(first, f.lossPanel("Loss", loss, ""))
	first = appendPanel(first, f.scorePanel())
	tasks := map[string]bool{}
	for _, r := range f.runs {
		for name := range r.steps {
			if task, ok := strings.CutPrefix(name, taskLoss); ok {
				tasks[task] = true
			}
		}
		for _, e := range r.epochs {
			for task := range e.ValidLosses {
				tasks[task] = true
			}
		}
	}
	for _, task := range slices.Sorted(maps.Keys(tasks)) {
		rest = appendPanel(rest, f.lossPanel("Loss of "+task, taskLoss+task, task))
	}
	rest = appendPanel(rest, f.normPanel())
	rest = appendPanel(rest, f.ratePanel())

	y := margin + legendLine*float64(f.legendLines()) + 10
	place := func(row []*panel, height float64, shares ...float64) {
		x := margin
		for i, p := range row {
			w := (width - 2*margin + gap) * shares[i]
			p.outer = rect{x, y, x + w - gap, y + height}
			x += w
		}
		y += height + gap - 8
		panels = append(panels, row...)
	}
	threes := len(rest)%3 == 0 || len(rest) > 4
	switch {
	case len(first) == 1:
		place(first, large, 1)
	case threes:
		place(first, large, 2./3, 1./3)
	default:
		place(first, large, 0.5, 0.5)
	}
	for len(rest) > 0 {
		n := min(3, len(rest))
		if len(rest) == 4 {
			n = 2
		}
		place(rest[:n], small, slices.Repeat([]float64{1 / float64(n)}, n)...)
		rest = rest[n:]
	}
	return panels, y + margin
}

func appendPanel(to []*panel, p *panel) []*panel {
	if p == nil {
		return to
	}
	return append(to, p)
}

// lossPanel has the loss of each step, smoothed over it, and the validation split's; the whole loss, or a task's.
func (f *figure) lossPanel(title, curve, task string) *panel {
	p := f.newStepPanel(title)
	for i, r := range f.runs {
		p.steps(r.Name, r.steps[curve], palette[i], f.window(r))
		p.measured(r.Name+", validation", r.validation(task), palette[i], rings)
	}
	return p.finish(false)
}

// normPanel has the norm of each step's gradient, whose spikes may be many times as high.
func (f *figure) normPanel() *panel {
	p := f.newStepPanel("Gradient norm")
	for i, r := range f.runs {
		p.steps(r.Name, r.steps[gradientNorm], palette[i], f.window(r))
	}
	return p.finish(true)
}

// ratePanel has the learning rates, which are often the same: the lower ones look out from under the others.
func (f *figure) ratePanel() *panel {
	p := f.newStepPanel("Learning rate")
	for i, r := range f.runs {
		p.smooth(r.Name, r.steps[learningRate], palette[i], 2.2+4*float64(len(f.runs)-1-i)/float64(len(f.runs)))
	}
	return p.finish(false)
}

func (f *figure) newStepPanel(title string) *panel {
	return &panel{title: title, by: "by step", x: linear(0, f.last, 6, 1), runs: len(f.runs)}
}

// scorePanel has the scores after each epoch.
func (f *figure) scorePanel() *panel {
	p := &panel{title: "Score", by: "by epoch"}
	first, last := math.Inf(1), math.Inf(-1)
	for i, r := range f.runs {
		train, valid := r.scores()
		p.thin(r.Name+", training", train, palette[i])
		p.measured(r.Name+", validation", valid, palette[i], ringedLines)
		for _, at := range append(train, valid...) {
			first, last = min(first, at.x), max(last, at.x)
		}
	}
	if first > last {
		return nil
	}
	p.x = linear(first-0.3, last+0.3, 8, 1)
	return p.finish(false)
}

func (f *figure) legendLines() int { return (len(f.runs) + f.legendColumns() - 1) / f.legendColumns() }

func (f *figure) legendColumns() int {
	if len(f.runs) > 4 {
		return 2
	}
	return 1
}

// legend names the runs, with where they stand.
func (f *figure) legend(c canvas) {
	columnWidth := (width - 2*margin + gap) / float64(f.legendColumns())
	longest := 0.0
	for _, r := range f.runs {
		longest = max(longest, textWidth(f.fonts, 15, true, r.Name))
	}
	longest = min(longest*otherFonts, columnWidth*0.4)
	for i, r := range f.runs {
		x := margin + columnWidth*float64(i/f.legendLines())
		y := margin + legendLine*float64(i%f.legendLines()) + 8
		end := x + columnWidth - gap
		c.line([]point{{x + 2, y - 5}, {x + 26, y - 5}}, pen{color: palette[i], width: 4, opacity: 1}, rect{x, y - 10, x + 28, y})
		x += 38
		c.text(point{x, y}, 0, font{15, true, ink}, f.shortened(r.Name, 15, true, longest))
		x += longest + 18
		c.text(point{x, y}, 0, font{13, false, soft}, f.shortened(f.state(r), 13, false, end-x))
	}
}

// state is how far a run came.
func (f *figure) state(r *Run) string {
	parts := []string{grouped(strconv.Itoa(r.Steps)) + " steps"}
	if good, _ := split(r.steps[loss]); len(good) > 0 && f.legendColumns() == 1 {
		smooth := smoothed(good, f.window(r))
		parts = append(parts, "loss "+threeDigits(smooth[len(smooth)-1].y))
	}
	_, valid := r.scores()
	if good, _ := split(valid); len(good) > 0 {
		best := slices.MaxFunc(good, func(a, b point) int { return cmp.Compare(a.y, b.y) })
		parts = append(parts, fmt.Sprintf("best score %s (epoch %.0f)", threeDigits(best.y), best.x))
	}
	return strings.Join(parts, ",  ")
}

func threeDigits(v float64) string {
	if math.Abs(v) >= 1000 {
		return grouped(strconv.FormatFloat(v, 'f', 0, 64))
	}
	digits := 3 // after the point
	for size := math.Abs(v); size >= 1 && digits > 0; size /= 10 {
		digits--
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// shortened cuts a text's end off where it is too wide.
func (f *figure) shortened(text string, size float64, bold bool, room float64) string {
	return f.fonts.Shorten(size*sharpness, bold, text, room*sharpness)
}

func (f *figure) windows() (shortest, longest float64) {
	shortest = math.Inf(1)
	for _, r := range f.runs {
		shortest, longest = min(shortest, f.window(r)), max(longest, f.window(r))
	}
	return shortest, longest
}

// notes say what the strokes mean.
func (f *figure) notes(c canvas, y float64) {
	x := margin
	say := func(text string) {
		c.text(point{x, y}, 0, font{12, false, soft}, text)
		x += textWidth(f.fonts, 12, false, text)*otherFonts + 20
	}
	mark := func(p pen) {
		c.line([]point{{x, y - 4}, {x + 24, y - 4}}, p, rect{x, y - 10, x + 24, y})
		x += 32
	}
	if shortest, longest := f.windows(); longest > 1 {
		mark((&panel{runs: 1}).faint(soft))
		say("each step")
		mark(strong(soft))
		if shortest == longest {
			say(fmt.Sprintf("mean over %s steps", grouped(strconv.FormatFloat(longest, 'f', 0, 64))))
		} else {
			say("mean over a fiftieth of the run")
		}
	}
	var validation, training, bad bool
	for _, r := range f.runs {
		train, valid := r.scores()
		validation = validation || len(valid) > 0 || len(r.validation("")) > 0
		training = training || len(train) > 0
		for _, points := range r.steps {
			_, b := split(points)
			bad = bad || len(b) > 0
		}
	}
	if validation {
		mark(strong(soft))
		c.ring(point{x - 20, y - 4}, ringRadius, strong(soft))
		say("validation, after an epoch")
	}
	if training {
		mark(thinPen(soft))
		say("score in training")
	}
	if bad {
		cross(c, point{x + 4, y - 4}, rect{x, y - 10, x + 10, y + 2})
		x += 16
		say("not a finite number")
	}
}

package main

import (
	"fmt"
	"io"
	"time"
)

// A progress shows on a terminal how far a long run is; elsewhere it is silent.
type progress struct {
	line  *liveLine
	what  string
	start time.Time
}

func newProgress(out io.Writer, what string) *progress {
	return &progress{line: newLiveLine(out), what: what, start: time.Now()}
}

// set says how much is done, a few times a second.
func (p *progress) set(done, of int) {
	now := time.Now()
	if !p.line.live() || !p.line.due(now) && done < of {
		return
	}
	text := fmt.Sprintf("%s: %s of %s", p.what, grouped(done), grouped(of))
	if spent := now.Sub(p.start); done > 0 && spent > 2*time.Second && done < of {
		left := time.Duration(float64(spent) / float64(done) * float64(of-done))
		text += fmt.Sprintf(", %.0f a second, %s left", float64(done)/spent.Seconds(), short(left))
	}
	p.line.draw(now, text)
}

// end leaves the line.
func (p *progress) end() { p.line.leave() }

// short is a duration in its two largest units.
func short(d time.Duration) string {
	switch seconds := int(d.Round(time.Second) / time.Second); {
	case seconds < 60:
		return fmt.Sprintf("%ds", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%dm%02ds", seconds/60, seconds%60)
	case seconds < 24*3600:
		return fmt.Sprintf("%dh%02dm", seconds/3600, seconds/60%60)
	default:
		return fmt.Sprintf("%dd%02dh", seconds/(24*3600), seconds/3600%24)
	}
}

package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// A progress shows on a terminal how far a long run is; elsewhere it is silent.
type progress struct {
	out   io.Writer // nil where nobody looks
	what  string
	start time.Time
	shown time.Time
}

func newProgress(out io.Writer, what string) *progress {
	p := &progress{what: what, start: time.Now()}
	if file, ok := out.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.out = out
		}
	}
	return p
}

// set says how much is done, a few times a second.
func (p *progress) set(done, of int) {
	now := time.Now()
	if p.out == nil || now.Sub(p.shown) < 200*time.Millisecond && done < of {
		return
	}
	p.shown = now
	line := fmt.Sprintf("%s: %s of %s", p.what, grouped(done), grouped(of))
	if spent := now.Sub(p.start); done > 0 && spent > 2*time.Second && done < of {
		left := time.Duration(float64(spent) / float64(done) * float64(of-done))
		line += fmt.Sprintf(", %.0f a second, %v left", float64(done)/spent.Seconds(), left.Round(time.Second))
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", line)
}

// end leaves the line.
func (p *progress) end() {
	if p.out != nil && !p.shown.IsZero() {
		fmt.Fprintln(p.out)
	}
}

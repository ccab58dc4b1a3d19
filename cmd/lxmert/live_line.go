package main

import (
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// A liveLine is a terminal's line that is written over and over; elsewhere there is none.
type liveLine struct {
	out   io.Writer
	width func() int // columns of the terminal; nil if out is none
	text  string     // what stands there
	drawn time.Time
}

func newLiveLine(out io.Writer) *liveLine {
	l := &liveLine{out: out}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		l.width = func() int {
			if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
				return width
			}
			return 80
		}
	}
	return l
}

// live tells whether there is somebody who sees the line.
func (l *liveLine) live() bool { return l.width != nil }

// due tells whether it is time to draw the line again: that is a few times a second.
func (l *liveLine) due(now time.Time) bool {
	return l.live() && now.Sub(l.drawn) >= 200*time.Millisecond
}

// draw replaces what the line says, cut to the terminal's width.
func (l *liveLine) draw(now time.Time, text string) {
	l.drawn, l.text = now, cut(text, l.room())
	fmt.Fprintf(l.out, "\r\x1b[K%s", l.text)
}

// room is how many columns can be used: in the last one some terminals begin a new line.
func (l *liveLine) room() int { return max(1, l.width()-1) }

// say writes a line that stays, above the live one.
func (l *liveLine) say(text string) {
	if l.text == "" {
		fmt.Fprintln(l.out, text)
		return
	}
	fmt.Fprintf(l.out, "\r\x1b[K%s\n%s", text, l.text)
}

// leave ends the line; a later one is drawn below it.
func (l *liveLine) leave() {
	if l.text != "" {
		fmt.Fprintln(l.out)
		l.text = ""
	}
}

func cut(text string, columns int) string {
	if utf8.RuneCountInString(text) <= columns {
		return text
	}
	return string([]rune(text)[:columns])
}

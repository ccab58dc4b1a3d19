// Package typeface has the Go fonts, which are part of the program: pictures with text in them look the same everywhere.
package typeface

import (
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

// Faces are the fonts at the sizes that were asked for. They are not safe for concurrent use.
type Faces struct {
	regular, bold *opentype.Font
	faces         map[style]font.Face
}

type style struct {
	size float64
	bold bool
}

// New reads the fonts.
func New() (*Faces, error) {
	regular, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	bold, err := opentype.Parse(gobold.TTF)
	return &Faces{regular, bold, map[style]font.Face{}}, err
}

// Face is a font whose em is size pixels.
func (f *Faces) Face(size float64, bold bool) font.Face {
	key := style{size, bold}
	if face, ok := f.faces[key]; ok {
		return face
	}
	of := f.regular
	if bold {
		of = f.bold
	}
	face, err := opentype.NewFace(of, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic(err) // it never is one
	}
	f.faces[key] = face
	return face
}

// Width is that of a text in pixels.
func (f *Faces) Width(size float64, bold bool, text string) float64 {
	return float64(font.MeasureString(f.Face(size, bold), text)) / 64
}

// Shorten cuts a text's end off where it is wider than room pixels; what is left ends in "…". It is "" if there is no room at all.
func (f *Faces) Shorten(size float64, bold bool, text string, room float64) string {
	runes := []rune(text)
	for n := f.beyond(size, bold, runes, room); n > 0; n-- {
		cut := text
		if n < len(runes) {
			cut = string(runes[:n]) + "…"
		}
		if f.Width(size, bold, cut) <= room {
			return cut
		}
	}
	return ""
}

// beyond is how many of the letters are wider than room, or all: a long text is not measured to its end for every letter that it loses. The room is twice
// counted, for letters that lie close together; and of letters without width no more than mostLetters are looked at.
func (f *Faces) beyond(size float64, bold bool, letters []rune, room float64) int {
	width := 0.0
	for i, letter := range letters {
		advance, _ := f.Face(size, bold).GlyphAdvance(letter)
		if width += float64(advance) / 64; width > 2*room || i == mostLetters {
			return i + 1
		}
	}
	return len(letters)
}

// mostLetters is more than any line has.
const mostLetters = 4000

package curves

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"io"
	"strconv"
)

// svg is a canvas that writes SVG.
type svg struct {
	body  bytes.Buffer
	clips map[rect]int
}

// writeSVG makes a picture of what draw draws.
func writeSVG(w io.Writer, title string, height float64, draw func(canvas)) error {
	s := &svg{clips: map[rect]int{}}
	draw(s)
	var head bytes.Buffer
	fmt.Fprintf(&head, `<svg xmlns="http://www.w3.org/2000/svg" width="%v" height="%v" viewBox="0 0 %v %v" role="img" aria-label="%s" `+
		`font-family="Go, 'Segoe UI', Helvetica, Arial, sans-serif" fill="none" stroke-linejoin="round" stroke-linecap="round">`+"\n",
		width, height, width, height, escaped(title))
	fmt.Fprintf(&head, "<rect width=\"%v\" height=\"%v\" fill=\"#fff\"/>\n", width, height)
	_, err := w.Write(append(append(head.Bytes(), s.body.Bytes()...), "</svg>\n"...))
	return err
}

func (s *svg) line(points []point, p pen, within rect) {
	clip, ok := s.clips[within]
	if !ok {
		clip = len(s.clips)
		s.clips[within] = clip
		fmt.Fprintf(&s.body, "<clipPath id=\"c%d\"><rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/></clipPath>\n",
			clip, tenths(within.left), tenths(within.top), tenths(within.right-within.left), tenths(within.bottom-within.top))
	}
	fmt.Fprintf(&s.body, `<polyline clip-path="url(#c%d)" %s points="`, clip, strokes(p))
	for i, at := range points {
		if i > 0 {
			s.body.WriteByte(' ')
		}
		s.body.WriteString(tenths(at.x) + "," + tenths(at.y))
	}
	if p.name == "" {
		s.body.WriteString("\"/>\n")
	} else {
		fmt.Fprintf(&s.body, "\"><title>%s</title></polyline>\n", escaped(p.name))
	}
}

func (s *svg) ring(at point, radius float64, p pen) {
	fmt.Fprintf(&s.body, "<circle cx=\"%s\" cy=\"%s\" r=\"%v\" fill=\"#fff\" %s/>\n", tenths(at.x), tenths(at.y), radius, strokes(p))
}

func (s *svg) text(at point, anchor float64, f font, text string) {
	weight, place := "", ""
	if f.bold {
		weight = ` font-weight="600"`
	}
	switch anchor {
	case 0.5:
		place = ` text-anchor="middle"`
	case 1:
		place = ` text-anchor="end"`
	}
	fmt.Fprintf(&s.body, "<text x=\"%s\" y=\"%s\" font-size=\"%v\" fill=\"%s\"%s%s>%s</text>\n", tenths(at.x), tenths(at.y), f.size, hex(f.color), weight, place, escaped(text))
}

func strokes(p pen) string {
	text := fmt.Sprintf(`stroke="%s" stroke-width="%v"`, hex(p.color), p.width)
	if p.opacity < 1 {
		text += fmt.Sprintf(` stroke-opacity="%v"`, p.opacity)
	}
	return text
}

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// tenths of a pixel are as much as can be seen.
func tenths(v float64) string {
	return strconv.FormatFloat(float64(int(v*10+0.5*sign(v)))/10, 'f', -1, 64)
}

func sign(v float64) float64 {
	if v < 0 {
		return -1
	}
	return 1
}

func escaped(text string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(text)) // a buffer does not fail
	return b.String()
}

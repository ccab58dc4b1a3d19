package annotate

import (
	"image"
	"math"
	"strconv"

	"github.com/go-lxmert/lxmert/internal/typeface"
)

// measures are a drawing's, in pixels.
type measures struct {
	faces   *typeface.Faces
	font    float64 // the em
	line    int     // of a box; the dark lines at both sides are half as wide
	padding image.Point
	ascent  int // of letters above their line
	height  int // of a plate
}

// What is easily read and leaves the picture to be seen.
const (
	small    = 640  // pixels that the longer side of a drawing should have
	narrow   = 160  // and the shorter one: plates are as wide
	covered  = 0.16 // of the picture, the part that plates may take
	leastEm  = 12   // of text, in pixels
	placesOf = 16   // places for a plate along each side of a box, at most
)

// roomy says whether a picture of that size is large enough to have these plates on it.
func roomy(size image.Point, faces *typeface.Faces, numbers []int, texts []string) bool {
	if max(size.X, size.Y) < small || min(size.X, size.Y) < narrow {
		return false
	}
	m := measuresFor(size, faces, numbers, texts)
	return m.plates(numbers, texts) <= covered*float64(size.X)*float64(size.Y)
}

// measuresFor fits text and lines to a picture's size, and to how much is to be said about it.
func measuresFor(size image.Point, faces *typeface.Faces, numbers []int, texts []string) measures {
	long := float64(max(size.X, size.Y))
	m := measures{faces: faces, line: max(2, int(math.Round(long/450)))}
	for em := max(leastEm, math.Round(9+long/160)); em >= leastEm; em-- {
		m.font = em
		m.padding = image.Pt(int(math.Round(em/4)), max(1, int(math.Round(em/10))))
		metrics := faces.Face(em, bold).Metrics()
		m.ascent = metrics.Ascent.Round()
		m.height = m.ascent + metrics.Descent.Round() + 2*m.padding.Y
		if m.plates(numbers, texts) <= covered*float64(size.X)*float64(size.Y) {
			break
		}
	}
	return m
}

// plates is how many pixels all plates take together.
func (m measures) plates(numbers []int, texts []string) float64 {
	sum := 0.0
	for i, text := range texts {
		if text == "" {
			text = strconv.Itoa(numbers[i])
		}
		size := m.sizeOf(text)
		sum += float64(size.X) * float64(size.Y)
	}
	return sum
}

// bold letters are read more easily on colours.
const bold = true

// edge is the width of the dark lines around boxes and plates.
func (m measures) edge() int { return (m.line + 1) / 2 }

// A plate says what a box is taken for.
type plate struct {
	text   string
	at     image.Rectangle // empty if there is no room
	number bool            // the text is the region's number
}

// layOut finds a place for each box's plate, in their order, the first having the first choice.
func (m measures) layOut(picture image.Rectangle, boxes []image.Rectangle, numbers []int, texts []string) []plate {
	plates := make([]plate, len(boxes))
	for i := range boxes {
		number := plate{text: strconv.Itoa(numbers[i]), number: true}
		tries := []plate{{text: texts[i]}, number}
		if texts[i] == "" {
			tries = tries[1:]
		}
		for _, try := range tries {
			at, shared := m.place(picture, boxes, i, try, plates[:i])
			// A number for which there is no free place lies on other plates, but not on most of one.
			if !at.Empty() && (shared == 0 || try.number && shared <= area(at)/2) {
				try.at = at
				plates[i] = try
				break
			}
		}
	}
	return plates
}

// sizeOf is that of a plate with this text, its dark edge included.
func (m measures) sizeOf(text string) image.Point {
	width := int(math.Ceil(m.faces.Width(m.font, bold, text)))
	return image.Pt(width+2*m.padding.X+2, m.height+2)
}

// place finds where the plate of box i lies with the least on other plates; of several such places the one where it hides the least of small
// boxes; else the first. It is empty if the picture has no room for it.
func (m measures) place(picture image.Rectangle, boxes []image.Rectangle, i int, p plate, others []plate) (best image.Rectangle, shared int) {
	size := m.sizeOf(p.text)
	shared, hidden := math.MaxInt, 0.0
	for rank, at := range m.places(boxes[i], size, p.number) {
		r := image.Rectangle{at, at.Add(size)}
		r = r.Add(into(r, picture))
		if !r.In(picture) || !near(r, boxes[i]) {
			continue
		}
		on := 0
		for _, o := range others {
			on += area(r.Intersect(o.at))
		}
		if on > shared {
			continue
		}
		if hides := hides(r, boxes) + 0.02*float64(rank); on < shared || hides < hidden {
			best, shared, hidden = r, on, hides
		}
	}
	return best, shared
}

// hides is how much of boxes that are not much larger than a plate is behind it: 1 for one that cannot be seen.
func hides(plate image.Rectangle, boxes []image.Rectangle) (sum float64) {
	for _, box := range boxes {
		if own := area(box); own < 8*area(plate) {
			sum += float64(area(box.Intersect(plate))) / float64(own)
		}
	}
	return sum
}

// into is by how much r must move to be in the picture.
func into(r, picture image.Rectangle) image.Point {
	by := func(min, max, low, high int) int {
		switch {
		case min < low:
			return low - min
		case max > high:
			return high - max
		}
		return 0
	}
	return image.Pt(by(r.Min.X, r.Max.X, picture.Min.X, picture.Max.X), by(r.Min.Y, r.Max.Y, picture.Min.Y, picture.Max.Y))
}

// near says that two rectangles meet, or touch.
func near(a, b image.Rectangle) bool { return a.Overlaps(b.Inset(-1)) }

// places are where the upper left corner of a plate may be, the best first: above the box, within it at the top, below it, within it at the
// bottom; first at its left edge, then at the right one, then between. Last within it, row by row. A number is looked for within first.
func (m measures) places(box image.Rectangle, size image.Point, number bool) []image.Point {
	rows := []int{box.Min.Y - size.Y, box.Min.Y, box.Max.Y, box.Max.Y - size.Y}
	if number {
		rows = []int{box.Min.Y, box.Max.Y - size.Y, box.Min.Y - size.Y, box.Max.Y}
	}
	left, right := box.Min.X, box.Max.X-size.X
	var places []image.Point
	for _, x := range append([]int{left, right}, between(left, right, size.Y)...) {
		for _, y := range rows {
			places = append(places, image.Pt(x, y))
		}
	}
	for _, y := range between(box.Min.Y, box.Max.Y-size.Y, size.Y) {
		places = append(places, image.Pt(left, y), image.Pt(right, y))
	}
	return places
}

// between are numbers from a to b, which are left out, at least a step apart.
func between(a, b, step int) []int {
	step = max(step, (b-a)/placesOf, 1)
	var out []int
	for v := a + step; v < b; v += step {
		out = append(out, v)
	}
	return out
}

package show

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"image"
	"image/color"
	"image/draw"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/explain"
	"github.com/go-lxmert/lxmert/vision"
)

// scene is a white picture with a large region, and in it a small one that counts.
func scene() (image.Image, vision.Regions) {
	img := image.NewRGBA(image.Rect(0, 0, 640, 480))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	return img, vision.Regions{
		Boxes: []float32{0, 0, 1, 1, 0.5, 0.5, 0.75, 0.75}, Features: make([]float32, 2), FeatureWidth: 1,
		Objects: []vision.Label{{ID: 0, Confidence: 1}, {ID: 1, Confidence: 1}},
	}
}

var names = Options{Vocabulary: vision.Vocabulary{Objects: []string{"ground", "car"}}}

// explanation is one of that scene.
func explanation(question string) *explain.Explanation {
	e := &explain.Explanation{
		Question: question, Method: explain.MethodRelevance, Answer: explain.Answer{ID: 1, Text: "red", Score: 2, Probability: 0.9},
		Answers: []explain.Answer{{ID: 1, Text: "red", Score: 2, Probability: 0.9}, {ID: 0, Text: "", Score: -1, Probability: 0.0004}},
		Tokens: []explain.Token{
			{Text: "[CLS]", Special: true}, {Text: "what", Start: 0, End: 4}, {Text: "##ever", Start: 4, End: 8}, {Text: "[SEP]", Special: true},
		},
		TokenScores:  []float32{0, 0.1, 0.2, 0.3},
		TokenShades:  []float32{0, 0.5, 1, 0},
		RegionScores: []float32{0.01, 0.3},
		RegionShades: []float32{0, 1},
	}
	square := func(rows, columns int) [][]float32 {
		m := make([][]float32, rows)
		for i := range m {
			m[i] = make([]float32, columns)
		}
		return m
	}
	e.Matrices = explain.Matrices{TokenToken: square(4, 4), TokenRegion: square(4, 2)}
	return e
}

// What counts shines, what does not is dark, and the rest of the card stands where it should.
func TestDraw(t *testing.T) {
	img, r := scene()
	d, err := Draw(t.Context(), img, r, explanation("Whatever"), names)
	if err != nil {
		t.Fatal(err)
	}
	bounds := d.Bounds()
	if bounds.Dx() < 640 || bounds.Dx() > 720 || bounds.Dy() < 600 || bounds.Dy() > 900 {
		t.Errorf("the card has %v", bounds.Size())
	}
	left := (bounds.Dx() - 640) / 2
	top := slices.IndexFunc(slices.Collect(func(yield func(int) bool) {
		for y := range bounds.Dy() {
			if !yield(int(luma(d.RGBAAt(left+20, y)))) {
				return
			}
		}
	}), func(l int) bool { return l > 60 && l < 100 }) // white at 0.3
	inside, outside := d.RGBAAt(left+400, top+300), d.RGBAAt(left+100, top+300)
	if luma(inside) < 220 || luma(outside) > 100 {
		t.Errorf("the region that counts is %v, the one that does not %v (picture from line %d)", inside, outside, top)
	}
	again, err := Draw(t.Context(), img, r, explanation("Whatever"), names)
	if err != nil || !bytes.Equal(d.Pix, again.Pix) {
		t.Errorf("drawn again it differs: %v", err)
	}
	noted := names
	noted.Note = strings.Repeat("It knows drawn scenes only. ", 10)
	if with, err := Draw(t.Context(), img, r, explanation("Whatever"), noted); err != nil || with.Bounds().Dy() <= bounds.Dy() {
		t.Errorf("a note takes no room: %v", err)
	}
	for p := range img.(*image.RGBA).Pix {
		if img.(*image.RGBA).Pix[p] != 255 {
			t.Fatal("the picture was drawn on")
		}
	}
}

func luma(c color.RGBA) float64 {
	return 0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)
}

// The scale gets ever lighter, and letters can be read on all of it.
func TestScale(t *testing.T) {
	last := -1.0
	for i := range 101 {
		l := luma(shadeColor(float64(i) / 100))
		if l < last {
			t.Errorf("shade %d %% is darker than the one before: %.1f after %.1f", i, l, last)
		}
		last = l
	}
	if shadeColor(-1) != shadeColor(0) || shadeColor(2) != shadeColor(1) {
		t.Error("beyond its ends the scale has other colours")
	}
}

// A long question, words of any length, many regions and small pictures find room.
func TestDrawOdd(t *testing.T) {
	_, r := scene()
	e := explanation(strings.Repeat("w", 4000))
	e.Tokens[1].End, e.Tokens[2].Start, e.Tokens[2].End = 3000, 3000, 4000
	for range 500 {
		e.Tokens = append(e.Tokens, explain.Token{Text: "word"})
		e.TokenScores, e.TokenShades = append(e.TokenScores, 1), append(e.TokenShades, 1)
	}
	e.Answers[0].Text = strings.Repeat("long ", 100)
	for _, size := range []image.Point{{1, 1}, {3, 500}, {4000, 10}, {256, 256}} {
		if _, err := Draw(t.Context(), image.NewRGBA(image.Rectangle{Max: size}), r, e, Options{}); err != nil {
			t.Errorf("%v: %v", size, err)
		}
	}
}

func TestErrors(t *testing.T) {
	img, r := scene()
	other := explanation("Whatever")
	other.RegionScores = other.RegionScores[:1]
	odd := explanation("Whatever")
	odd.TokenShades[1] = float32(math.NaN())
	for want, e := range map[string]*explain.Explanation{"no explanation": nil, "it is of another picture": other, "want finite numbers": odd} {
		if _, err := Draw(t.Context(), img, r, e, names); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Draw: %v, want %q", err, want)
		}
		if err := HTML(t.Context(), &bytes.Buffer{}, img, r, []*explain.Explanation{e}, Page{}, names); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("HTML: %v, want %q", err, want)
		}
	}
	if err := HTML(t.Context(), &bytes.Buffer{}, img, r, nil, Page{}, names); err == nil {
		t.Error("a page of nothing: no error")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Draw(ended, img, r, explanation("Whatever"), names); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

func TestWords(t *testing.T) {
	e := explanation("Whatever")
	if got := Words(e); !slices.Equal(got, []Word{{1, "What", true}, {2, "ever", false}}) {
		t.Errorf("words %v", got)
	}
	// Where there are no places in the question, or wrong ones, the vocabulary's text stands for them.
	for _, wrong := range []explain.Token{{Text: "##ever"}, {Text: "##ever", Start: 4, End: 99}, {Text: "##ever", Start: -1, End: 3}} {
		e.Tokens[2] = wrong
		if got := Words(e); len(got) != 2 || got[1] != (Word{2, "ever", false}) {
			t.Errorf("%+v: words %v", wrong, got)
		}
	}
}

// Nothing that people write ends up as anything but text, and the page asks nobody for anything.
func TestHTML(t *testing.T) {
	img, r := scene()
	const evil = `</script><img src=x onerror=alert(1)>"'&{{.}}<!--`
	e := explanation(evil)
	e.Tokens[1].End, e.Tokens[2].Start, e.Tokens[2].End = 20, 20, len(evil)
	e.Answer.Text, e.Answers[0].Text = evil, evil
	e.Maps = []explain.Map{{Name: evil, Queries: "tokens", Keys: "regions", Mean: [][]float32{{0.5, 0.5}}}}
	o := Options{Vocabulary: vision.Vocabulary{Objects: []string{evil, "car"}}}
	var page bytes.Buffer
	all, about := []*explain.Explanation{e, explanation("Whatever")}, Page{Title: evil, Model: evil, Notes: []string{evil}}
	if err := HTML(t.Context(), &page, img, r, all, about, o); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, never := range []string{"<img src=x", "ZgotmplZ", "http:", "https:", "alert(1)>\""} {
		if strings.Contains(text, never) {
			t.Errorf("the page has %q in it", never)
		}
	}
	if n := strings.Count(text, "</script>"); n != 2 {
		t.Errorf("%d scripts end, want 2", n)
	}
	script := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindStringSubmatch(text)
	hash := sha256.Sum256([]byte(script[1]))
	if want := "'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"; !strings.Contains(html.UnescapeString(text), want) {
		t.Errorf("the policy does not allow the page's own script %s", want)
	}
	var data pageData
	if err := json.Unmarshal([]byte(regexp.MustCompile(`(?s)id="data">(.*?)</script>`).FindStringSubmatch(text)[1]), &data); err != nil {
		t.Fatal(err)
	}
	if len(data.Questions) != 2 || len(data.Regions) != 2 || data.Regions[0].Name != evil || data.Questions[0].Maps[0].Name != evil {
		t.Errorf("the script reads %+v", data)
	}
	if n := strings.Count(text, `src="data:image/png;base64,`); n != 1 {
		t.Errorf("the picture is there %d times", n)
	}
}

// A photograph becomes a JPEG, for it would be many times as large.
func TestPhotograph(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 500, 400))
	x := uint32(1)
	for i := range img.Pix {
		x = x*1664525 + 1013904223
		img.Pix[i] = byte(x >> 24)
	}
	url, err := dataURL(img)
	if err != nil || !strings.HasPrefix(url, "data:image/jpeg;base64,") {
		t.Errorf("%.40s, %v", url, err)
	}
}

func TestTitles(t *testing.T) {
	n := 2
	for _, method := range append(explain.Methods(), "another") {
		e := &explain.Explanation{Method: method, Layer: &n, Head: &n}
		if MethodTitle(e) == "" {
			t.Errorf("%s has no title", method)
		}
	}
	e := explanation("Whatever")
	e.Answer = e.Answers[1]
	if got := why(e); got != "Why would it say “(the empty answer)”, and not “red”?" {
		t.Error(got)
	}
	for p, want := range map[float32]string{1: "100.0 %", 0.9995: "> 99.9 %", 0.5: "50.0 %", 0.0001: "< 0.1 %", 0: "0.0 %"} {
		if got := percent(p); got != want {
			t.Errorf("%v: %s, want %s", p, got, want)
		}
	}
	for x, want := range map[float32]string{0: "0.000", 0.0787: "0.079", 0.00042: "0.0004", 1: "1.000"} {
		if got := score(x); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
}

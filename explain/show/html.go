package show

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/go-lxmert/lxmert/explain"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/annotate"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string
)

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// A Page is what a page says besides its explanations.
type Page struct {
	Title string   // "": Why?
	Model string   // what answered
	Notes []string // what a person should know before believing it
}

// HTML writes a page of explanations of one picture: each word and each region can be pointed at, to see what it draws on itself; where explanations have Maps,
// each attention of the network can be looked at too. The page is one file with the picture in it. It asks for nothing from anywhere, and forbids itself to
// (its Content-Security-Policy). Without scripts the shaded words, the regions and the answers are left.
//
// A picture larger than o.Longest is shrunk. The errors are [Draw]'s and w's.
func HTML(ctx context.Context, w io.Writer, img image.Image, r vision.Regions, explanations []*explain.Explanation, p Page, o Options) error {
	if len(explanations) == 0 {
		return errors.New("there is no explanation to show")
	}
	o = o.withDefaults()
	data := pageData{}
	var questions []pageQuestion
	for _, e := range explanations {
		if err := check(e, r); err != nil {
			return err
		}
		data.Questions = append(data.Questions, questionDataOf(e))
		questions = append(questions, questionOf(e, r, o))
	}
	for i := range r.Len() {
		data.Regions = append(data.Regions, regionData{o.name(r, i), [4]float32(r.Box(i))})
	}
	// With no marks the picture is only fitted, and its boxes are checked.
	fitted, err := annotate.DrawMarks(ctx, img, r, nil, o.Longest, nil)
	if err != nil {
		return err
	}
	picture, err := dataURL(fitted.Picture)
	if err != nil {
		return err
	}
	if p.Title == "" {
		p.Title = "Why?"
	}
	hash := sha256.Sum256([]byte(pageScript))
	return pageTemplate.Execute(w, struct {
		Page
		Style         template.CSS
		Script        template.JS
		ScriptHash    string
		Picture       template.URL
		Width, Height int
		Questions     []pageQuestion
		Data          pageData
	}{
		p, template.CSS(pageStyle), template.JS(pageScript), base64.StdEncoding.EncodeToString(hash[:]),
		template.URL(picture), fitted.Picture.Rect.Dx(), fitted.Picture.Rect.Dy(), questions, data,
	})
}

// maxPNG is how many bytes of PNG a page may carry; what is larger is a photograph, and becomes a JPEG.
const maxPNG = 600 << 10

// dataURL is a picture in a URL.
func dataURL(img image.Image) (string, error) {
	var b bytes.Buffer
	kind := "png"
	if err := png.Encode(&b, img); err != nil {
		return "", err
	}
	if b.Len() > maxPNG {
		kind = "jpeg"
		b.Reset()
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 88}); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("data:image/%s;base64,%s", kind, base64.StdEncoding.EncodeToString(b.Bytes())), nil
}

// pageQuestion is what a question's card says before a script has run.
type pageQuestion struct {
	Question, Why, Method string
	Words                 []pageWord
	Answers               []pageAnswer
	Regions               []pageRegion
}

type pageWord struct {
	Token int
	Text  string
	Apart bool
	Shade float32
	Score string
}

type pageAnswer struct {
	Text    string
	Own     bool
	Share   float32
	Percent string
}

type pageRegion struct {
	Region      int
	Name, Score string
	Shade       float32
}

func questionOf(e *explain.Explanation, r vision.Regions, o Options) pageQuestion {
	q := pageQuestion{Question: e.Question, Why: why(e), Method: MethodTitle(e)}
	for _, w := range Words(e) {
		q.Words = append(q.Words, pageWord{w.Token, w.Text, w.Apart, e.TokenShades[w.Token], score(e.TokenScores[w.Token])})
	}
	answers := e.Answers
	if len(answers) == 0 {
		answers = []explain.Answer{e.Answer}
	}
	for _, a := range answers[:max(0, min(o.Answers, len(answers)))] {
		q.Answers = append(q.Answers, pageAnswer{named(a), a.ID == e.Answer.ID, a.Probability, percent(a.Probability)})
	}
	for _, region := range e.TopRegions(r.Len()) {
		q.Regions = append(q.Regions, pageRegion{region, o.name(r, region), score(e.RegionScores[region]), e.RegionShades[region]})
	}
	return q
}

// pageData is what the page's script reads.
type pageData struct {
	Regions   []regionData   `json:"regions"`
	Questions []questionData `json:"questions"`
}

type regionData struct {
	Name string     `json:"name"`
	Box  [4]float32 `json:"box"`
}

type questionData struct {
	Words        []string    `json:"words"` // of each token
	Special      []bool      `json:"special"`
	TokenShades  []float32   `json:"token_shades"`
	RegionShades []float32   `json:"region_shades"`
	TokenToken   [][]float32 `json:"token_token"`
	TokenRegion  [][]float32 `json:"token_region"`
	RegionToken  [][]float32 `json:"region_token"`
	RegionRegion [][]float32 `json:"region_region"`
	Maps         []mapData   `json:"maps,omitempty"`
}

type mapData struct {
	Name    string        `json:"name"`
	Queries string        `json:"queries"`
	Keys    string        `json:"keys"`
	Mean    [][]float32   `json:"mean"`
	Heads   [][][]float32 `json:"heads,omitempty"`
}

func questionDataOf(e *explain.Explanation) questionData {
	q := questionData{
		TokenShades: e.TokenShades, RegionShades: e.RegionShades, Special: make([]bool, len(e.Tokens)), Words: make([]string, len(e.Tokens)),
		TokenToken: e.Matrices.TokenToken, TokenRegion: e.Matrices.TokenRegion, RegionToken: e.Matrices.RegionToken, RegionRegion: e.Matrices.RegionRegion,
	}
	for i, t := range e.Tokens {
		q.Words[i], q.Special[i] = t.Text, t.Special
	}
	for _, w := range Words(e) {
		q.Words[w.Token] = w.Text
	}
	for _, m := range e.Maps {
		q.Maps = append(q.Maps, mapData{m.Name, m.Queries, m.Keys, m.Mean, m.Heads})
	}
	return q
}

// Package show makes pictures and pages of explanations: the picture, lit where regions have counted for the answer, the question's words on the same scale,
// and the answers.
package show

import (
	"fmt"
	"math"
	"strings"

	"github.com/go-lxmert/lxmert/explain"
	"github.com/go-lxmert/lxmert/vision"
)

// Options say what is shown. The zero Options mark three regions, by number.
type Options struct {
	Vocabulary vision.Vocabulary // what regions are called
	Top        int               // how many regions get a box; 0 means 3, below 0 none
	Answers    int               // how many answers are listed; 0 means 5
	Longest    int               // pixels that the picture's longer side has at most; 0 means DefaultLongest
	Note       string            // what stands below a drawing: what a person should know before believing it
}

// DefaultLongest is to how many pixels the longer side of a picture is shrunk.
const DefaultLongest = 1280

// withDefaults has a number for each 0.
func (o Options) withDefaults() Options {
	for _, of := range []struct {
		value     *int
		otherwise int
	}{{&o.Top, 3}, {&o.Answers, 5}, {&o.Longest, DefaultLongest}} {
		if *of.value == 0 {
			*of.value = of.otherwise
		}
	}
	return o
}

// check says whether an explanation can be shown on these regions: it may have come from a file.
func check(e *explain.Explanation, r vision.Regions) error {
	if e == nil {
		return fmt.Errorf("there is no explanation to show")
	}
	tokens, regions := len(e.Tokens), r.Len()
	for _, list := range []struct {
		name   string
		values []float32
		want   int
		of     string
	}{
		{"token_scores", e.TokenScores, tokens, "tokens"}, {"token_shades", e.TokenShades, tokens, "tokens"},
		{"region_scores", e.RegionScores, regions, "regions"}, {"region_shades", e.RegionShades, regions, "regions"},
	} {
		if len(list.values) != list.want {
			return fmt.Errorf("the explanation of %q: found %d %s, want one for each of %d %s: it is of another picture",
				e.Question, len(list.values), list.name, list.want, list.of)
		}
		for _, x := range list.values {
			if v := float64(x); math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("the explanation of %q: found %v among its %s, want finite numbers", e.Question, x, list.name)
			}
		}
	}
	return nil
}

// MethodTitle is what people call a method.
func MethodTitle(e *explain.Explanation) string {
	switch e.Method {
	case explain.MethodRelevance:
		return "relevance (Chefer et al. 2021)"
	case explain.MethodUnnormalised:
		return "relevance, not normalised"
	case explain.MethodNoSelf:
		return "relevance, self-attention left out of rule 10"
	case explain.MethodRawAttention:
		return "raw attention of the last layer"
	case explain.MethodRollout:
		return "attention rollout (whatever the answer)"
	case explain.MethodGradCAM:
		return "Grad-CAM of the last attention"
	case explain.MethodAttention:
		title := "attention"
		if e.Layer != nil {
			title += fmt.Sprintf(" of cross-modality layer %d", *e.Layer)
		}
		if e.Head != nil {
			return title + fmt.Sprintf(", head %d", *e.Head)
		}
		return title + ", all heads"
	}
	return string(e.Method)
}

// why heads an explanation.
func why(e *explain.Explanation) string {
	if len(e.Answers) > 0 && e.Answers[0].ID != e.Answer.ID {
		return fmt.Sprintf("Why would it say “%s”, and not “%s”?", named(e.Answer), named(e.Answers[0]))
	}
	return fmt.Sprintf("Why “%s”?", named(e.Answer))
}

// named is an answer's text; one of VQA's is empty.
func named(a explain.Answer) string {
	if a.Text == "" {
		return "(the empty answer)"
	}
	return a.Text
}

// percent is a probability in words; it does not say 100 of what is less.
func percent(p float32) string {
	switch {
	case p > 0.999 && p < 1:
		return "> 99.9 %"
	case p < 0.001 && p > 0:
		return "< 0.1 %"
	}
	return fmt.Sprintf("%.1f %%", 100*p)
}

// A Word is a token as the question spells it.
type Word struct {
	Token int // its place in the explanation
	Text  string
	Apart bool // there is white space before it
}

// Words are the tokens that are part of the question, as it spells them: [CLS] and [SEP] are not.
func Words(e *explain.Explanation) []Word {
	var list []Word
	end := -1
	for i, t := range e.Tokens {
		if t.Special {
			continue
		}
		w := Word{Token: i, Text: t.Text, Apart: true}
		if t.Start >= 0 && t.Start < t.End && t.End <= len(e.Question) {
			w.Text, w.Apart = e.Question[t.Start:t.End], t.Start != end
			end = t.End
		} else if rest, ok := strings.CutPrefix(t.Text, "##"); ok && rest != "" {
			w.Text, w.Apart = rest, false
		}
		list = append(list, w)
	}
	return list
}

// score is a number as people read it: three decimals, or the first digit of what is too small for them.
func score(x float32) string {
	if x != 0 && math.Abs(float64(x)) < 0.001 {
		return fmt.Sprintf("%.1g", x)
	}
	return fmt.Sprintf("%.3f", x)
}

// name is what a region is called.
func (o Options) name(r vision.Regions, region int) string {
	if name := o.Vocabulary.Name(r, region); name != "" {
		return name
	}
	return fmt.Sprintf("region %d", region)
}

package scenes

import (
	"fmt"
	"math/rand/v2"

	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
)

// SourceScenes is the name of captions' source in pre-training's form.
const SourceScenes = "scenes"

func newSet(seed uint64) *set {
	return &set{
		seed:    seed,
		balance: newBalance(stream(seed, chanceBalance, 0)),
		report:  Report{Templates: map[string]map[string]int{}},
	}
}

// add takes the next picture: chooses what is asked about it, and a statement about it and an earlier one.
func (t *set) add(id string, p picture) {
	i := len(t.scenes)
	t.scenes, t.ids = append(t.scenes, p.scene), append(t.ids, id)
	var sentences []string
	for _, c := range p.captions {
		sentences = append(sentences, c.sentence)
	}
	t.captions = append(t.captions, sentences)
	t.report.Images++
	t.report.Objects += len(p.scene.Objects)
	t.report.Regions += p.regions.Len()
	t.report.Captions += len(sentences)

	t.vqaFirst, t.gqaFirst = append(t.vqaFirst, len(t.vqa)), append(t.gqaFirst, len(t.gqa))
	n := 0
	for _, part := range []struct {
		name   string
		quotas []quota
		from   [][]asked
		to     *[]questions.Question
	}{{"vqa", vqaQuotas, p.vqa, &t.vqa}, {"gqa", gqaQuotas, p.gqa, &t.gqa}} {
		for j, q := range part.quotas {
			for _, a := range t.balance.choose(part.name+" "+q.template, q.sides, q.times, part.from[j]) {
				t.tally(part.name+" "+q.template, a.answer)
				question := questions.Question{Image: id, Sentence: a.sentence, QuestionType: q.template, AnswerType: answerType(a.answer), Source: part.name,
					Label: []answers.Score{{Answer: a.answer, Score: 1}}}
				if part.name == "vqa" {
					question.ID = questions.NumberID(int64((t.seed*MaxImages+uint64(i))*100 + uint64(n)))
				} else {
					question.ID = questions.TextID(fmt.Sprintf("%s-%d", id, n))
				}
				*part.to = append(*part.to, question)
				n++
			}
		}
	}
	t.report.VQA, t.report.GQA = len(t.vqa), len(t.gqa)
	if i > 0 {
		t.state(i, stream(t.seed, chanceChoice, i))
	}
}

// state makes a statement about picture i and an earlier one, of the template that has come least among those with something to say.
func (t *set) state(i int, chance *rand.Rand) {
	other := chance.IntN(i)
	left, right := other, i
	if chance.IntN(2) == 0 {
		left, right = i, other
	}
	order := chance.Perm(len(nlvr2Quotas))
	for len(order) > 0 {
		least := 0
		for k, j := range order {
			if t.balance.totals[nlvr2Quotas[j].name()] < t.balance.totals[nlvr2Quotas[order[least]].name()] {
				least = k
			}
		}
		q := nlvr2Quotas[order[least]]
		order = append(order[:least], order[least+1:]...)
		found := gather(chance, func(add adder) { q.say(t.scenes[left], t.scenes[right], add) })
		for _, a := range t.balance.choose(q.name(), trueOrFalse, 1, found) {
			t.tally(q.name(), a.answer)
			holds := a.answer == "true"
			t.nlvr2 = append(t.nlvr2, questions.Question{ID: questions.TextID(t.ids[i] + "-0-0"), Image: t.ids[left], Second: t.ids[right], Sentence: a.sentence, Truth: &holds,
				QuestionType: q.template, UID: t.ids[i] + "-0-0"})
			t.report.Statements++
			return
		}
	}
}

func (q pairQuota) name() string { return "nlvr2 " + q.template }

func (t *set) tally(template, answer string) {
	if t.report.Templates[template] == nil {
		t.report.Templates[template] = map[string]int{}
	}
	t.report.Templates[template][answer]++
}

// pretraining goes through captions and questions, picture by picture.
func (t *set) pretraining(yield func(questions.Question, error) bool) {
	for i, id := range t.ids {
		for _, sentence := range t.captions[i] {
			if !yield(questions.Question{Image: id, Sentence: sentence, Source: SourceScenes}, nil) {
				return
			}
		}
		for _, of := range [...]struct {
			all   []questions.Question
			first []int
		}{{t.vqa, t.vqaFirst}, {t.gqa, t.gqaFirst}} {
			end := len(of.all)
			if i+1 < len(of.first) {
				end = of.first[i+1]
			}
			for _, q := range of.all[of.first[i]:end] {
				if !yield(q, nil) {
					return
				}
			}
		}
	}
}

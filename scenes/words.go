package scenes

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-lxmert/lxmert/data/answers"
)

// functionWords are the words of all templates that are no kinds, colours, sizes or numbers.
const functionWords = `a above all among an and are at below big bigger black blank boat both bottom but by color do exactly fewer from gray has have how in is
it its large larger left less little many me middle more most near next no not object objects of on one only or other over picture pictures right same see
shape side smaller tell than that the them there these they thing things this those to top two under what where which white who why with yes you number`

// Vocabulary is a WordPiece vocabulary in the order of its ids (vocab.txt): the special tokens, every word that questions, captions, statements and answers are made of, and
// letters, digits and endings, so that a question in other words comes apart into pieces and is not unknown as a whole.
func Vocabulary() []string {
	words := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
	add := func(more ...string) {
		for _, word := range more {
			if !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	add(strings.Split("?.,!'-:;\"()/&", "")...)
	letters := strings.Split("abcdefghijklmnopqrstuvwxyz0123456789", "")
	add(letters...)
	add(numbers[:]...)
	for _, answer := range Answers() {
		add(strings.Fields(answer)...)
	}
	for _, k := range Kinds() {
		add(plural(k.String()))
	}
	add(strings.Fields(functionWords)...)
	for _, letter := range letters {
		add("##" + letter)
	}
	add("##es", "##er", "##est", "##ing", "##ed", "##ly")
	return words
}

// Answers are all answers to questions, in the order of their ids.
func Answers() []string {
	var all []string
	for _, e := range answerTable() {
		all = append(all, e.Answer)
	}
	return all
}

// answerTable are all answers with the sorts of questions that they answer.
func answerTable() []answers.Entry {
	var all []answers.Entry
	at := map[string]int{}
	add := func(dataSet string, list ...string) {
		for _, answer := range list {
			i, ok := at[answer]
			if !ok {
				i = len(all)
				at[answer] = i
				all = append(all, answers.Entry{Answer: answer})
			}
			if !slices.Contains(all[i].DataSets, dataSet) {
				all[i].DataSets = append(all[i].DataSets, dataSet)
			}
		}
	}
	for _, dataSet := range [...]string{"vqa", "gqa"} {
		add(dataSet, yesOrNo...)
		for _, c := range Colors() {
			add(dataSet, c.String())
		}
		for _, k := range Kinds() {
			add(dataSet, k.String())
		}
	}
	for n := range numbers {
		add("vqa", strconv.Itoa(n))
	}
	for at := range place(places) {
		add("vqa", at.String())
	}
	add("vqa", bigOrSmall...)
	add("gqa", directions...)
	return all
}

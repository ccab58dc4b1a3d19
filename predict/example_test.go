package predict_test

import (
	"context"
	"fmt"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/predict"
)

// ExampleAnswers scores the example model, which is not trained, on the example questions.
func ExampleAnswers() {
	m, err := lxmert.Open("../examples/tiny", lxmert.WithMaxTokens(20))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	features, err := data.Open("../examples/regions.tsv", false)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer features.Close()
	seq, _, err := questions.Open(questions.KindVQA, "../examples/questions.json", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	var qs []questions.Question
	for q, err := range seq {
		if err != nil {
			fmt.Println(err)
			return
		}
		qs = append(qs, q)
	}
	predictions, err := predict.Answers(context.Background(), m, features, qs, predict.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range predictions {
		fmt.Println(p.ID, p.Answer)
	}
	score, err := predict.SoftScore(qs, predict.Plain(predictions))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(score)
	// Output:
	// 1 cat
	// 2 cat
	// 3 cat
	// Accuracy (soft labels): 30.00% (3 questions)
}

package eval_test

import (
	"fmt"
	"os"

	"github.com/go-lxmert/lxmert/eval"
)

func ExampleVQA() {
	score, err := eval.VQA(
		[]eval.VQAQuestion{
			{ID: "1", AnswerType: "number", Answers: []string{"2", "two", "2", "2", "3", "3", "3", "3", "3", "4"}},
			{ID: "2", AnswerType: "yes/no", Answers: []string{"no", "yes", "no", "no", "no", "no", "no", "no", "no", "no"}},
		},
		[]eval.Prediction{{ID: "2", Answer: "yes"}, {ID: "1", Answer: "2"}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(score)
	// Output:
	// Accuracy: 65.00% (2 questions)
	//
	// Accuracy / answer type:
	//   number: 100.00% (1 questions)
	//   yes/no: 30.00% (1 questions)
}

func ExampleWriteNLVR2() {
	examples := []string{"dev-850-0-0", "dev-850-1-0"}
	err := eval.WriteNLVR2(os.Stdout, examples, []eval.Prediction{{ID: "dev-850-1-0", Answer: "True"}})
	fmt.Println(err)
	err = eval.WriteNLVR2(os.Stdout, examples, []eval.Prediction{{ID: "dev-850-1-0", Answer: "True"}, {ID: "dev-850-0-0", Answer: "False"}})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 1 question without a prediction: "dev-850-0-0"
	// dev-850-0-0,False
	// dev-850-1-0,True
}

func ExampleOverlaps() {
	trained := eval.OriginalPreTraining()
	for _, overlap := range eval.Overlaps(trained[2:], eval.Split{DataSet: "gqa", Name: "valid"}, func(func(eval.Example) bool) {}) {
		fmt.Println(overlap)
	}
	// Output:
	// the model has learned from lxmert vgnococo (pretrain), which holds questions of this split: the score does not tell how it answers new questions
}

package questions_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
)

// A table of questions of one's own; bad records are counted.
func ExampleOwn() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "mine.csv")
	table := "image,question,answers\ncat.jpg,What is it?,a cat|Cat.|dog|cat|cat|cat|cat|cat|cat|cat\n,Where?,here\n"
	if err := os.WriteFile(path, []byte(table), 0o644); err != nil {
		log.Fatal(err)
	}
	var skipped questions.Skipped
	for q, err := range questions.Good(questions.Own(path, answers.Official), &skipped) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(q.Image, q.Sentence, q.Label)
	}
	fmt.Println(skipped.Count, "skipped")
	// Output:
	// cat.jpg What is it? [{cat 1} {dog 0.3}]
	// 1 skipped
}

package checkpoint_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/checkpoint"
)

// A checkpoint of the base model gives a question-answering model all but its head.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")
	bias, err := checkpoint.FromFloat32s("pooler.dense.bias", []int{3}, []float32{0.5, 0.25, 1})
	if err != nil {
		log.Fatal(err)
	}
	if err := checkpoint.Write(path, []checkpoint.Tensor{bias}, map[string]string{"format": "pt"}); err != nil {
		log.Fatal(err)
	}

	f, err := checkpoint.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fit := checkpoint.Match(f, []checkpoint.Want{
		{Name: "lxmert.pooler.dense.bias", Shape: []int{3}},
		{Name: "answer_head.logit_fc.3.bias", Shape: []int{2}},
	}, checkpoint.LXMERT())
	if err := fit.Err(checkpoint.AllowNewHeads); err != nil {
		log.Fatal(err)
	}
	pooler, _ := fit.Tensor("lxmert.pooler.dense.bias")
	values, err := pooler.Float32s()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pooler.Name, values)
	fmt.Println("newly initialised:", fit.NewlyInitialised())
	// Output:
	// pooler.dense.bias [0.5 0.25 1]
	// newly initialised: [answer_head.logit_fc.3.bias]
}

package main

import (
	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
)

// A hiding leaves out one of the two things that a model looks at: a baseline that tells what the other gives away.
type hiding string

const (
	hidePictures  hiding = "pictures"
	hideSentences hiding = "sentences"
)

func (h *hiding) add(cmd *cobra.Command) {
	cmd.Flags().StringVar((*string)(h), "hide", "", "hide `pictures` or sentences, for a baseline: what do the others give away?")
}

func (h hiding) check() error {
	if h != "" && h != hidePictures && h != hideSentences {
		return usagef("--hide: found %q, want %s or %s", string(h), hidePictures, hideSentences)
	}
	return nil
}

// source hides the pictures, if they are to be hidden.
func (h hiding) source(s data.Source) data.Source {
	if h == hidePictures {
		return data.Blank(s)
	}
	return s
}

// questions hides the sentences, if they are to be hidden.
func (h hiding) questions(qs []questions.Question) {
	if h == hideSentences {
		for i := range qs {
			qs[i].Sentence = "?"
		}
	}
}

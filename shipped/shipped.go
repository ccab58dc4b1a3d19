// Package shipped holds the models that come with the module: small ones that know the drawn world of package scenes and nothing else. Each is a
// model directory, as 'lxmert scenes train' makes it. A program that uses none of them does not contain them.
package shipped

import (
	"embed"
	"io/fs"
)

//go:embed qa
var qa embed.FS

//go:embed nlvr2
var nlvr2 embed.FS

// QuestionAnswering is the model that answers questions about a picture (LxmertForQuestionAnswering).
func QuestionAnswering() fs.FS { return below(qa, "qa") }

// Statements is the model that judges statements about two pictures (LxmertForNLVR2).
func Statements() fs.FS { return below(nlvr2, "nlvr2") }

func below(files embed.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil { // the name is no path, which a constant above sees to
		panic(err)
	}
	return sub
}

package lxmert

import "github.com/go-lxmert/lxmert/shipped"

// Shipped opens the question-answering model that is part of the module. It knows pictures of the drawn world of package scenes, and nothing else; its
// regions are scenes.Detector's. About other pictures it answers too, at random: scenes.Familiarity tells them apart. A program that calls Shipped carries
// the model in its binary.
func Shipped(opts ...Option) (*Model, error) { return OpenFS(shipped.QuestionAnswering(), opts...) }

// ShippedStatements opens the model for statements about two pictures that is part of the module, see [Shipped].
func ShippedStatements(opts ...Option) (*Statements, error) {
	return OpenStatementsFS(shipped.Statements(), opts...)
}

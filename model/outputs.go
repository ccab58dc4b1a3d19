package model

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"

	"github.com/gomlx/gomlx/core/tensors"
)

// ModelOutput is what the three encoders give: the reference's LxmertModelOutput.
type ModelOutput[T Value] struct {
	// LanguageOutput [batch, tokens, hidden] and VisionOutput [batch, regions, hidden] are the
	// last hidden states of the two streams.
	LanguageOutput, VisionOutput T
	// PooledOutput [batch, hidden] is tanh of a linear map of the first token's last hidden state.
	PooledOutput T
	States[T]
}

// States are the hidden states and attention probabilities on the way, present when asked for.
//
// Hidden states do not include the embeddings. The single-modality states come first: the
// first l_layers language and the first r_layers vision hidden states are those of the language
// and the object-relationship encoder ([States.SingleModality]); the x_layers after them are
// the cross-modality encoder's, the last of which is the output.
type States[T Value] struct {
	// LanguageHiddenStates has l_layers + x_layers entries [batch, tokens, hidden],
	// VisionHiddenStates r_layers + x_layers entries [batch, regions, hidden].
	LanguageHiddenStates, VisionHiddenStates []T
	// LanguageAttentions has l_layers entries [batch, heads, tokens, tokens], VisionAttentions
	// r_layers entries [batch, heads, regions, regions]: the self-attention of the single-modality
	// encoders.
	LanguageAttentions, VisionAttentions []T
	// CrossEncoderAttentions has x_layers entries [batch, heads, tokens, regions]: how much each
	// token looks at each region. The reference returns no other attention of these layers.
	CrossEncoderAttentions []T
}

// SingleModality is the last hidden state of the language and of the object-relationship
// encoder, before either stream has seen the other; nil where that encoder has no layers
// or hidden states were not asked for.
func (s *States[T]) SingleModality(c *Config) (language, vision T) {
	if c.LanguageLayers > 0 && len(s.LanguageHiddenStates) >= c.LanguageLayers {
		language = s.LanguageHiddenStates[c.LanguageLayers-1]
	}
	if c.VisionLayers > 0 && len(s.VisionHiddenStates) >= c.VisionLayers {
		vision = s.VisionHiddenStates[c.VisionLayers-1]
	}
	return language, vision
}

// PreTrainingOutput is what the pre-training model gives: the reference's LxmertForPreTrainingOutput.
type PreTrainingOutput[T Value] struct {
	// Loss is the plain sum of the tasks' losses, a scalar; nil when no labels were given.
	Loss T
	// Losses are the parts of Loss; a task without labels, or switched off, is nil.
	Losses Losses[T]
	// PredictionLogits [batch, tokens, vocab] are the masked-language head's.
	PredictionLogits T
	// CrossRelationshipScore [batch, 2] are logits: entry 1 is "the sentence matches the picture".
	// Prefer [MatchProbability].
	CrossRelationshipScore T
	// QuestionAnsweringScore [batch, answers] are the answer head's logits. Without task_qa there is no
	// answer head, and this is, as in the reference, the meaningless scalar pooled_output[0][0].
	QuestionAnsweringScore T
	States[T]
}

// Losses are the pre-training losses by name (§3.1), scalars; masked-object prediction has one for each of
// its three kinds.
type Losses[T Value] struct {
	MaskedLM, Matched, Object, Attribute, Feature, Answer T
}

// QuestionAnsweringOutput is what the question-answering model gives: the reference's
// LxmertForQuestionAnsweringOutput.
type QuestionAnsweringOutput[T Value] struct {
	// Loss is the cross entropy with the labels, a scalar; nil when none were given.
	Loss T
	// QuestionAnsweringScore [batch, answers] are logits.
	QuestionAnsweringScore T
	States[T]
}

// NLVR2Output is what the model of statements about two pictures gives.
type NLVR2Output[T Value] struct {
	// Loss is the cross entropy with the labels, a scalar; nil when none were given.
	Loss T
	// Logits [batch, 2]: entry 1 is "the statement is true".
	Logits T
	// States that a picture has a part in have an axis for the two pictures after the first: [batch, 2, tokens, hidden].
	// Those of the language encoder, which sees no picture, are as everywhere: [batch, tokens, hidden].
	States[T]
}

// MatchProbability turns cross_relationship_score [batch, 2] into the probability, for each
// example, that the sentence belongs to the picture.
func MatchProbability(crossRelationshipScore *tensors.Tensor) ([]float32, error) {
	if crossRelationshipScore == nil {
		return nil, errors.New("cross_relationship_score: no tensor given")
	}
	if shape := crossRelationshipScore.Shape().Dimensions; len(shape) != 2 || shape[1] != 2 {
		return nil, fmt.Errorf("cross_relationship_score: found shape %v, want [batch, 2]", shape)
	}
	logits, err := tensors.CopyFlatData[float32](crossRelationshipScore)
	if err != nil {
		return nil, err
	}
	probability := make([]float32, len(logits)/2)
	for i := range probability {
		mismatch, match := float64(logits[2*i]), float64(logits[2*i+1])
		probability[i] = float32(1 / (1 + math.Exp(mismatch-match)))
	}
	return probability, nil
}

// Named visits every present output under the reference's field name; the entries of a
// tuple are NAME.0, NAME.1 and so on.
func (o *ModelOutput[T]) Named() iter.Seq2[string, T] {
	return named(&o.States,
		output[T]{"language_output", o.LanguageOutput},
		output[T]{"vision_output", o.VisionOutput},
		output[T]{"pooled_output", o.PooledOutput})
}

// Named visits every present output under the reference's field name, as [ModelOutput.Named].
// The losses by name are not among them: the reference has no such fields.
func (o *PreTrainingOutput[T]) Named() iter.Seq2[string, T] {
	return named(&o.States,
		output[T]{"loss", o.Loss},
		output[T]{"prediction_logits", o.PredictionLogits},
		output[T]{"cross_relationship_score", o.CrossRelationshipScore},
		output[T]{"question_answering_score", o.QuestionAnsweringScore})
}

// Named visits every present output under the reference's field name, as [ModelOutput.Named].
func (o *QuestionAnsweringOutput[T]) Named() iter.Seq2[string, T] {
	return named(&o.States,
		output[T]{"loss", o.Loss},
		output[T]{"question_answering_score", o.QuestionAnsweringScore})
}

// Named visits every present output: logits and loss, and states as [ModelOutput.Named].
func (o *NLVR2Output[T]) Named() iter.Seq2[string, T] {
	return named(&o.States,
		output[T]{"loss", o.Loss},
		output[T]{"logits", o.Logits})
}

type output[T Value] struct {
	name  string
	value T
}

// named visits the outputs that are there, then the states.
func named[T Value](s *States[T], outputs ...output[T]) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for _, o := range outputs {
			if o.value != nil && !yield(o.name, o.value) {
				return
			}
		}
		for _, tuple := range []struct {
			name   string
			values []T
		}{
			{"language_hidden_states", s.LanguageHiddenStates},
			{"vision_hidden_states", s.VisionHiddenStates},
			{"language_attentions", s.LanguageAttentions},
			{"vision_attentions", s.VisionAttentions},
			{"cross_encoder_attentions", s.CrossEncoderAttentions},
		} {
			for i, value := range tuple.values {
				if !yield(tuple.name+"."+strconv.Itoa(i), value) {
					return
				}
			}
		}
	}
}

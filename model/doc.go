// Package model is LXMERT (Tan & Bansal, EMNLP 2019): the language encoder, the
// object-relationship encoder, the cross-modality encoder, the pre-training,
// question-answering and NLVR2 heads and their losses, written once as GoMLX graphs.
//
// There are two ways in. A Go program that wants numbers builds an [LxmertModel],
// [LxmertForPreTraining], [LxmertForQuestionAnswering] or [LxmertForNLVR2] and calls Forward with tensors.
// A program that builds graphs of its own (training, explanation) calls [Config.Model],
// [Config.PreTraining], [Config.QuestionAnswering] or [Config.NLVR2] with nodes: the same code.
//
// Every weight has its Hugging Face name: lxmert.encoder.layer.0.attention.self.query.weight
// is the variable /lxmert/encoder/layer/0/attention/self/query/weight, stored as PyTorch
// does, [out, in] for a linear map. As there, a bare LxmertModel's names lack the prefix.
//
// Shapes are written [batch, tokens, hidden]. Tokens are the rows of the language stream,
// regions those of the visual stream.
package model

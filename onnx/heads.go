package onnx

import "strings"

// preTraining is the reference's LxmertForPreTraining without labels.
func (e *exporter) preTraining() {
	lang, _ := e.model()
	pooled := e.pool(lang)
	e.output(e.maskedLanguageHead("cls.predictions.", lang), "prediction_logits", "batch", "tokens", e.VocabSize)
	e.output(e.gemm("cls.seq_relationship.", pooled), "cross_relationship_score", "batch", 2)
	if e.TaskQA {
		e.answerHead(pooled)
		return
	}
	first := e.op("Gather", pooled, e.ints("zero", 0))
	e.output(e.op("Gather", first, e.ints("zero", 0)), "question_answering_score") // as in the reference: see model.PreTrainingOutput
}

// questionAnswering is the reference's LxmertForQuestionAnswering.
func (e *exporter) questionAnswering() {
	lang, _ := e.model()
	e.answerHead(e.pool(lang))
}

// nlvr2 judges statements about two pictures: LXMERT reads a statement with each of them, the head both pooled outputs side by side.
func (e *exporter) nlvr2() {
	e.pictures = "pictures"
	lang, _ := e.model()
	both := e.op("Reshape", e.pool(lang), e.ints("side_by_side", -1, 2*int64(e.HiddenSize)))
	e.output(e.classify("logit_fc.", both), "logits", "batch", 2)
}

// maskedLanguageHead predicts the word at every token. Its last map is the word embedding, which the file holds once.
func (e *exporter) maskedLanguageHead(name, lang string) string {
	x := e.activate(e.linear(name+"transform.dense.", lang))
	x = e.layerNorm(name+"transform.LayerNorm.", x)
	words := e.node("", "Transpose", []string{e.weight(e.wordEmbeddings())}, attribute{"perm", []int{1, 0}})
	return e.op("Add", e.op("MatMul", x, words), e.weight(name+"bias"))
}

// isObjectHead tells a weight of the masked-object head.
func isObjectHead(name string) bool { return strings.HasPrefix(name, "obj_predict_head.") }

func (e *exporter) answerHead(pooled string) {
	e.output(e.classify("answer_head.logit_fc.", pooled), "question_answering_score", "batch", e.NumQALabels)
}

// classify is how every task upon the pooled output ends. Its activation is the exact GELU whatever hidden_act says.
func (e *exporter) classify(name, x string) string {
	return e.gemm(name+"3.", e.layerNorm(name+"2.", e.gelu(e.gemm(name+"0.", x))))
}

// visualAxes are the first axes of what comes of pictures: for NLVR2 there are two.
func (e *exporter) visualAxes() []any {
	if e.pictures == "batch" {
		return []any{"batch", "regions"}
	}
	return []any{"batch", 2, "regions"}
}

// pictureByPicture puts the two pictures of a statement one after the other: [batch, 2, ...] becomes [pictures, ...].
func (e *exporter) pictureByPicture(x string) string {
	if x == "" || e.pictures == "batch" {
		return x
	}
	rest := e.node("", "Shape", []string{x}, attribute{"start", 2})
	shape := e.node("", "Concat", []string{e.intsOf("all", []int{1}, -1), rest}, attribute{"axis", 0})
	return e.op("Reshape", x, shape)
}

// twice repeats each example, for its two pictures: [batch, ...] becomes [pictures, ...].
func (e *exporter) twice(x string) string {
	if x == "" {
		return ""
	}
	x = e.op("Unsqueeze", x, e.intsOf("picture_axis", []int{1}, 1))
	return e.pictureByPicture(e.node("", "Concat", []string{x, x}, attribute{"axis", 1}))
}

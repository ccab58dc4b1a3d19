package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/go-lxmert/lxmert/tokenizer"
)

// slowOverflow is what slow mode has for overflowing encodings.
type slowOverflow struct {
	IDs          []int32 `json:"overflowing_token_ids"`
	NumTruncated int     `json:"num_truncated_tokens"`
}

// writeEncodings writes the line's answer piece by piece: an encoding of a long text is
// many times the text.
func (r *tokenizeRun) writeEncodings(l *tokenizeLine, call tokenizer.Call, list []tokenizer.Encoding, batch bool) error {
	w := &stickyWriter{w: r.out}
	fmt.Fprintf(w, `{"id":%s,`, l.id())
	open, end := `"encoding":`, ""
	if batch {
		open, end = `"encodings":[`, "]"
	}
	io.WriteString(w, open)
	overflows := make([]slowOverflow, len(list))
	for i := range list {
		if i > 0 {
			io.WriteString(w, ",")
		}
		list[i].WriteJSON(w)
		overflows[i] = slowOverflow{append([]int32{}, list[i].OverflowingIDs...), list[i].NumTruncated}
	}
	io.WriteString(w, end)
	if r.base.Mode() == tokenizer.Slow && call.ReturnOverflowing {
		io.WriteString(w, `,"slow_overflow":`)
		var v any = overflows
		if !batch {
			v = overflows[0]
		}
		content, err := json.Marshal(v)
		if err != nil {
			return err
		}
		w.Write(content)
	}
	io.WriteString(w, "}\n")
	if w.err != nil {
		return writeError{w.err}
	}
	return nil
}

// write writes one small object as a line.
func (r *tokenizeRun) write(v map[string]any) error {
	e := json.NewEncoder(r.out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return writeError{err}
	}
	return nil
}

// writeError is a failure of the output, after which the run is over.
type writeError struct{ error }

// stickyWriter keeps the first error, so that it need be looked at only once.
type stickyWriter struct {
	w   io.Writer
	err error
}

func (s *stickyWriter) Write(p []byte) (int, error) {
	if s.err == nil {
		_, s.err = s.w.Write(p)
	}
	return len(p), s.err
}

package batch

import (
	"bytes"

	"github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/writer"
)

// parquetOf is a Parquet file of answers, the same bytes for the same answers.
func parquetOf(answers []Answer) ([]byte, error) {
	var file bytes.Buffer
	w, err := writer.NewParquetWriterFromWriter(&file, new(Answer), 1)
	if err != nil {
		return nil, err
	}
	w.CompressionType = parquet.CompressionCodec_SNAPPY
	for i := range answers {
		if err := w.Write(answers[i]); err != nil {
			return nil, err
		}
	}
	if err := w.WriteStop(); err != nil {
		return nil, err
	}
	return file.Bytes(), nil
}

package kernel
type Epilogue struct{}
func (e *Epilogue) check(m, n int){}

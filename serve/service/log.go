package service

import "log/slog"

// Log is where the service writes its log; never nil.
func (s *Service) Log() *slog.Logger { return s.options.Log }

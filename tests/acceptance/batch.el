;; SPDX-License-Identifier: BSD-2-Clause  -*- lexical-binding: t -*-
;; A batch job for emacs: JSON, buffers, regular expressions, hash tables, garbage
;; collections, subprocesses and the byte compiler, told as text.

(require 'bytecomp)
(require 'json)
(require 'org)

(defvar batch-file load-file-name)

(defun batch-json (rounds)
  (let ((table (make-hash-table :test 'equal)))
    (dotimes (i rounds)
      (puthash (format "key%d" i) (vector i (make-string (% i 50) ?x) (/ i 8.0)) table))
    (let ((text (json-serialize table)))
      (unless (= (hash-table-count (json-parse-string text)) rounds)
        (error "json"))
      (secure-hash 'sha256 text))))

(defun batch-buffer (rounds)
  (with-temp-buffer
    (dotimes (i rounds)
      (insert (format "line %d of %s\n" (% (* i 7919) 10007) (make-string (% i 60) ?y))))
    (sort-lines nil (point-min) (point-max))
    (goto-char (point-min))
    (while (re-search-forward "line \\([0-9]+\\) of" nil t)
      (replace-match (propertize "of \\1 line" 'face 'bold)))
    (secure-hash 'sha256 (current-buffer))))

(defun batch-org (rounds)
  (with-temp-buffer
    (org-mode)
    (dotimes (i (/ rounds 50))
      (insert (format "* Heading %d :tag%d:\n** TODO Item\n   Some /text/ of =it=.\n" i (% i 7))))
    (let ((tree (org-element-parse-buffer)) (n 0))
      (org-element-map tree 'headline (lambda (_) (setq n (1+ n))))
      n)))

(defun batch-compile ()
  (copy-file batch-file "compiled.el" t)
  (byte-compile-file "compiled.el")
  (with-temp-buffer
    (set-buffer-multibyte nil)
    (insert-file-contents-literally "compiled.elc")
    (goto-char (point-min))
    ;; without the heading, which names the file
    (re-search-forward "^(")
    (secure-hash 'sha256 (current-buffer) (point) (point-max))))

(defun batch-main (rounds)
  (call-process "cp" nil nil nil (format "/proc/%d/maps" (emacs-pid)) "maps.batch")
  (princ (format "json %s\n" (batch-json rounds)))
  (princ (format "buffer %s\n" (batch-buffer rounds)))
  (garbage-collect)
  (princ (format "org %s\n" (batch-org rounds)))
  (princ (format "compile %s\n" (batch-compile)))
  (dotimes (n 3)
    (princ (format "child %s\n" (with-temp-buffer
                                  (call-process "sh" nil t nil "-c" (format "echo %d; ls /" n))
                                  (buffer-string)))))
  (kill-emacs 10))

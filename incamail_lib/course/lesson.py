"""What a lesson is: its aim, the pictures in a novice's mind, its exercises, what stays."""

from __future__ import annotations

from dataclasses import dataclass

from incamail_lib.course.exercises import Belief, Exercise


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One lesson of 10 to 20 minutes. Its prose stands in the notebook of the same name."""

    key: str
    number: int
    title: str
    aim: str
    minutes: int
    beliefs: tuple[Belief, ...]  # written down before the questions
    exercises: tuple[Exercise, ...]
    summary: tuple[str, ...]  # what to remember, in the words of the glossary

    def exercise(self, key: str) -> Exercise:
        """The exercise of that key; KeyError where there is none."""
        return {e.key: e for e in self.exercises}[key]

    @property
    def notebook(self) -> str:
        """The file of its model notebook."""
        return f"{self.number:02}_{self.key}.ipynb"


def place(lesson: Lesson, exercise: Exercise) -> str:
    """By what name an exercise is known in records: `travel/addin`."""
    return f"{lesson.key}/{exercise.key}"

// The next step with a customer: who contacts them, and how soon.

import { number, translate } from "./i18n.js";

/** The next step as a sentence without its end; null where no service policy applies. */
export const nextStep = (step) =>
  step ? translate(`step.${step.manager}`, { hours: number(step.within_hours) }) : null;

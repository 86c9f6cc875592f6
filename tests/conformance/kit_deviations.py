def of(subject, params, model):
    return []
